import type { ChildProcess } from 'node:child_process';
import { CONNECTION_STATE, ConnectionLedger } from '../../protocol/connection-ledger.ts';
import type { ConnectionMessage, ConnectionsReport } from '../../protocol/messages.ts';
import type { ClientConnection } from './client-connection.ts';
import { HandoverQueue } from './handover-queue.ts';

export interface AppConnectionsEvents {
  /** The app does not serve this connection any more, and the next byte of the client is unread. */
  returned(connection: ClientConnection): void;
  /** The app died and with it the request, which had no response yet. */
  interrupted(connection: ClientConnection): void;
  ended(connection: ClientConnection): void;
  /** The app takes no connections any more. */
  stopped(): void;
}

/** The connections that one app serves. */
export class AppConnections {
  readonly #app: ChildProcess;
  readonly #events: AppConnectionsEvents;
  /** Without one, the connections of an app that dies are cut, as they are by any server. */
  readonly #ledger: ConnectionLedger | undefined;
  readonly #queue: HandoverQueue;
  /** By slot. */
  readonly #served = new Map<number, ClientConnection>();
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #isStopped = false;

  constructor(app: ChildProcess, events: AppConnectionsEvents) {
    this.#app = app;
    this.#events = events;
    this.#ledger = ConnectionLedger.create();
    this.#queue = new HandoverQueue(app, {
      unreachable: (slot) => {
        this.#stop();
        this.#return(slot);
      },
      lost: (slot) => this.#release(slot, 'interrupted'),
    });
    app.on('message', this.#onMessage);
    app.once('exit', this.#onExit);
    if (this.#ledger !== undefined) {
      const message: ConnectionMessage = { type: 'connection-ledger', file: this.#ledger.file };
      app.send(message, () => {
        // If the app cannot be reached, its exit is about to be reported.
      });
    }
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether the app has read a request of which it has not begun the answer. */
  get isBusy(): boolean {
    return this.#ledger?.hasPending(this.#slots) ?? false;
  }

  add(connection: ClientConnection): void {
    const slot = this.#takeSlot();
    this.#served.set(slot, connection);
    this.#queue.add({ slot, connection });
  }

  /** Takes back what was not sent yet. */
  withdraw(): void {
    for (const { slot } of this.#queue.withdraw()) {
      this.#release(slot, 'returned');
    }
  }

  #takeSlot(): number {
    const used = this.#freeSlots.pop();
    if (used === undefined) {
      return this.#slots++;
    }
    this.#ledger?.writeState(used, CONNECTION_STATE.idle);
    return used;
  }

  #stop(): void {
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#events.stopped();
      this.withdraw();
    }
  }

  #return(slot: number): void {
    const connection = this.#served.get(slot);
    if (connection !== undefined) {
      connection.isReused = true;
      this.#release(slot, 'returned');
    }
  }

  #release(slot: number, event: 'returned' | 'interrupted' | 'ended'): void {
    const connection = this.#served.get(slot);
    if (connection !== undefined) {
      this.#served.delete(slot);
      this.#freeSlots.push(slot);
      this.#queue.forget(slot);
      this.#events[event](connection);
    }
  }

  readonly #onMessage = (message: unknown): void => {
    if (!isConnectionsMessage(message)) {
      return;
    }
    for (const slot of message.closed) {
      this.#release(slot, 'ended');
    }
    if (message.returned.length > 0) {
      this.#stop();
    }
    for (const slot of message.returned) {
      this.#return(slot);
    }
  };

  readonly #onExit = (_code: number | null, signal: NodeJS.Signals | null): void => {
    this.#app.off('message', this.#onMessage);
    this.#queue.dispose();
    this.#stop();
    // An app that ends by itself, or is ended because it hangs, may well do so because of a request.
    const isKilledByOthers = signal === 'SIGKILL' && !this.#app.killed;
    for (const [slot, connection] of this.#served) {
      switch (this.#ledger?.readState(slot)) {
        case CONNECTION_STATE.idle:
          connection.isReused = true;
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
}

function isConnectionsMessage(message: unknown): message is ConnectionsReport {
  return message instanceof Object && (message as { type?: unknown }).type === 'connections';
}
