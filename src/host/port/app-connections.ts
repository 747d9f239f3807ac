import type { ChildProcess } from 'node:child_process';
import { CONNECTION_STATE, ConnectionLedger } from '../../protocol/connection-ledger.ts';
import type { AppToHost, HostToApp } from '../../protocol/messages.ts';
import type { Connection } from './connection.ts';

/** Node tries as often when it keeps no copy of the socket. */
const MAX_FAILED_HANDOVERS = 3;

export interface AppConnectionsEvents {
  /** The child does not serve this connection any more, and the next byte of the client is unread. */
  returned(connection: Connection): void;
  /** The child died and with it the request, which had no response yet. */
  interrupted(connection: Connection): void;
  ended(connection: Connection): void;
  /** The child takes no connections any more. */
  stopped(): void;
}

/** The connections that one child serves. */
export class AppConnections {
  readonly #child: ChildProcess;
  readonly #events: AppConnectionsEvents;
  /** Without one, the connections of a child that dies are cut, as they are by any server. */
  readonly #ledger: ConnectionLedger | undefined;
  /** By slot. */
  readonly #served = new Map<number, Connection>();
  readonly #freeSlots: number[] = [];
  #slots = 0;
  /** Not sent yet: Node passes one handle at a time, and other messages must not queue behind all of them. */
  readonly #unsent: number[] = [];
  #isSending = false;
  /** Slots whose socket is on its way, oldest first. */
  readonly #inTransit: number[] = [];
  #isStopped = false;

  constructor(child: ChildProcess, events: AppConnectionsEvents) {
    this.#child = child;
    this.#events = events;
    this.#ledger = ConnectionLedger.create();
    child.on('message', this.#onMessage);
    child.on('internalMessage', this.#onInternalMessage);
    child.once('exit', this.#onExit);
    if (this.#ledger !== undefined) {
      this.#send({ type: 'connection-ledger', file: this.#ledger.file });
    }
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether the child has read a request of which it has not begun the answer. */
  get isBusy(): boolean {
    return this.#ledger?.hasPending(this.#slots) ?? false;
  }

  add(connection: Connection): void {
    const slot = this.#takeSlot();
    this.#served.set(slot, connection);
    this.#unsent.push(slot);
    this.#sendNext();
  }

  #takeSlot(): number {
    const used = this.#freeSlots.pop();
    if (used === undefined) {
      return this.#slots++;
    }
    this.#ledger?.writeState(used, CONNECTION_STATE.idle);
    return used;
  }

  /** Takes back what was not sent yet. */
  withdraw(): void {
    for (const slot of this.#unsent.splice(0)) {
      const connection = this.#release(slot);
      if (connection !== undefined) {
        this.#events.returned(connection);
      }
    }
  }

  #stop(): void {
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#events.stopped();
      this.withdraw();
    }
  }

  #sendNext(): void {
    if (this.#isSending) {
      return;
    }
    const slot = this.#unsent.shift();
    const connection = slot === undefined ? undefined : this.#served.get(slot);
    if (slot === undefined || connection === undefined) {
      return;
    }
    this.#isSending = true;
    this.#inTransit.push(slot);
    // Called when the message is written, which for a handle is after the child confirmed the one before.
    const onSent = (error: Error | null): void => {
      this.#isSending = false;
      if (error !== null) {
        this.#stop();
        this.#return(slot);
        return;
      }
      this.#sendNext();
    };
    const { reused, repeat } = connection;
    const message: HostToApp = {
      type: 'connection',
      slot,
      reused,
      ...(repeat !== undefined && { repeat }),
    };
    this.#child.send(message, connection.socket, { keepOpen: true }, onSent);
  }

  readonly #onMessage = (message: unknown): void => {
    if (!isConnectionsMessage(message)) {
      return;
    }
    for (const slot of message.closed) {
      const connection = this.#release(slot);
      if (connection !== undefined) {
        this.#events.ended(connection);
      }
    }
    if (message.returned.length > 0) {
      this.#stop();
    }
    for (const slot of message.returned) {
      this.#return(slot);
    }
  };

  /** A socket can get lost on its way (macOS, or no free file handle in the child); Node tells the sender. */
  readonly #onInternalMessage = (message: unknown): void => {
    const command = message instanceof Object ? (message as { cmd?: unknown }).cmd : undefined;
    if (command !== 'NODE_HANDLE_ACK' && command !== 'NODE_HANDLE_NACK') {
      return;
    }
    const slot = this.#inTransit.shift();
    const connection = slot === undefined ? undefined : this.#served.get(slot);
    if (command === 'NODE_HANDLE_ACK' || slot === undefined || connection === undefined) {
      return;
    }
    connection.failedHandovers++;
    if (connection.failedHandovers > MAX_FAILED_HANDOVERS) {
      this.#release(slot);
      this.#events.interrupted(connection);
    } else {
      this.#unsent.unshift(slot);
      this.#sendNext();
    }
  };

  readonly #onExit = (_code: number | null, signal: NodeJS.Signals | null): void => {
    this.#child.off('message', this.#onMessage);
    this.#child.off('internalMessage', this.#onInternalMessage);
    this.#stop();
    // Who ends by itself, or is ended because it hangs, may well do so because of a request.
    const isKilledByOthers = signal === 'SIGKILL' && !this.#child.killed;
    for (const [slot, connection] of this.#served) {
      switch (this.#ledger?.readState(slot)) {
        case CONNECTION_STATE.idle:
          connection.reused = true;
          this.#events.returned(connection);
          break;
        case CONNECTION_STATE.repeatable: {
          const repeat = isKilledByOthers ? this.#ledger.readHead(slot) : undefined;
          if (repeat === undefined) {
            this.#events.interrupted(connection);
          } else {
            connection.repeat = repeat;
            this.#events.returned(connection);
          }
          break;
        }
        case CONNECTION_STATE.pending:
          this.#events.interrupted(connection);
          break;
        default:
          this.#events.ended(connection);
      }
    }
    this.#served.clear();
    this.#ledger?.dispose();
  };

  #return(slot: number): void {
    const connection = this.#release(slot);
    if (connection !== undefined) {
      connection.reused = true;
      this.#events.returned(connection);
    }
  }

  #release(slot: number): Connection | undefined {
    const connection = this.#served.get(slot);
    if (this.#served.delete(slot)) {
      this.#freeSlots.push(slot);
      this.#forgetTransit(slot);
    }
    return connection;
  }

  /** A closed socket is sent without a handle, of which Node confirms nothing. */
  #forgetTransit(slot: number): void {
    const index = this.#inTransit.indexOf(slot);
    if (index >= 0) {
      this.#inTransit.splice(index, 1);
    }
  }

  #send(message: HostToApp): void {
    this.#child.send(message, () => {
      // If the child cannot be reached, its exit is about to be reported.
    });
  }
}

function isConnectionsMessage(
  message: unknown,
): message is Extract<AppToHost, { type: 'connections' }> {
  return message instanceof Object && (message as { type?: unknown }).type === 'connections';
}
