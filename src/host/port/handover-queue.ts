import type { ChildProcess } from 'node:child_process';
import type { ConnectionMessage } from '../../protocol/messages.ts';
import type { ClientConnection } from './client-connection.ts';

/** Node tries as often when it keeps no copy of the socket. */
const MAX_FAILED_HANDOVERS = 3;

export interface Handover {
  readonly slot: number;
  readonly connection: ClientConnection;
}

export interface HandoverEvents {
  /** The app cannot be reached any more. */
  unreachable(slot: number): void;
  /** The socket got lost on its way too often. */
  lost(slot: number): void;
}

/** Sends sockets to one app. Node passes one at a time, and other messages must not queue behind all of them. */
export class HandoverQueue {
  readonly #app: ChildProcess;
  readonly #events: HandoverEvents;
  readonly #unsent: Handover[] = [];
  #isSending = false;
  /** Those whose socket is on its way, oldest first. */
  readonly #inTransit: Handover[] = [];

  constructor(app: ChildProcess, events: HandoverEvents) {
    this.#app = app;
    this.#events = events;
    app.on('internalMessage', this.#onInternalMessage);
  }

  add(handover: Handover): void {
    this.#unsent.push(handover);
    this.#sendNext();
  }

  /** Takes back what was not sent yet. */
  withdraw(): Handover[] {
    return this.#unsent.splice(0);
  }

  /** The slot is free: a closed socket is sent without a handle, of which Node confirms nothing. */
  forget(slot: number): void {
    const index = this.#inTransit.findIndex((handover) => handover.slot === slot);
    if (index >= 0) {
      this.#inTransit.splice(index, 1);
    }
  }

  dispose(): void {
    this.#app.off('internalMessage', this.#onInternalMessage);
  }

  #sendNext(): void {
    const handover = this.#isSending ? undefined : this.#unsent.shift();
    if (handover === undefined) {
      return;
    }
    const { slot, connection } = handover;
    const { isReused, repeat, socket } = connection;
    this.#isSending = true;
    this.#inTransit.push(handover);
    const message: ConnectionMessage = {
      type: 'connection',
      slot,
      isReused,
      ...(repeat !== undefined && { repeat }),
    };
    // Called when the message is written, which for a socket is after the app confirmed the one before.
    this.#app.send(message, socket, { keepOpen: true }, (error) => {
      this.#isSending = false;
      if (error === null) {
        this.#sendNext();
      } else {
        this.#events.unreachable(slot);
      }
    });
  }

  /** A socket can get lost on its way (macOS, or no free file handle in the app); Node tells the sender. */
  readonly #onInternalMessage = (message: unknown): void => {
    const command = message instanceof Object ? (message as { cmd?: unknown }).cmd : undefined;
    if (command !== 'NODE_HANDLE_ACK' && command !== 'NODE_HANDLE_NACK') {
      return;
    }
    const handover = this.#inTransit.shift();
    if (command === 'NODE_HANDLE_ACK' || handover === undefined) {
      return;
    }
    handover.connection.failedHandovers++;
    if (handover.connection.failedHandovers > MAX_FAILED_HANDOVERS) {
      this.#events.lost(handover.slot);
    } else {
      this.#unsent.unshift(handover);
      this.#sendNext();
    }
  };
}
