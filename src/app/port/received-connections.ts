import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { ConnectionLedger } from '../../protocol/connection-ledger.ts';
import type { ConnectionMessage } from '../../protocol/messages.ts';
import { ConnectionReports } from './connection-reports.ts';
import { adoptLikeNode, findIdle, observeRequests } from './node-server.ts';
import { ReceivedConnection, type ReceivedConnectionEvents } from './received-connection.ts';

/** A finished response is noticed at once; this is for bodies that the app left unread. */
const DRAIN_SWEEP_MS = 20;

type HandedOver = Extract<ConnectionMessage, { type: 'connection' }>;

/** The connections that the host has handed over to this app. */
export class ReceivedConnections {
  #httpServer: Server | undefined;
  /** Without one, all connections count as idle if this process is killed. */
  #ledger: ConnectionLedger | undefined;
  readonly #connections = new Set<ReceivedConnection>();
  readonly #events: ReceivedConnectionEvents = {
    answered: () => {
      if (this.#isDraining) {
        setImmediate(() => this.#sweep());
      }
    },
    closed: (connection) => this.#remove(connection),
  };
  readonly #reports = new ConnectionReports();
  #isDraining = false;
  /** Set while draining. */
  #sweepTimer: NodeJS.Timeout | undefined;
  /** Set while `drain()` waits; called when the last connection has gone. */
  #onDrained: (() => void) | undefined;

  get hasServer(): boolean {
    return this.#httpServer !== undefined;
  }

  /** Connections go to this server from now on. */
  attach(httpServer: Server): void {
    this.#httpServer = httpServer;
    observeRequests(httpServer);
    const { close } = httpServer;
    httpServer.close = (callback) => {
      // Else Node destroys idle connections, to which the client may be writing.
      this.#startDraining();
      return Reflect.apply(close, httpServer, [callback]) as Server;
    };
  }

  receive(message: unknown, handle: unknown): void {
    if (!isConnectionMessage(message)) {
      return;
    }
    if (message.type === 'connection') {
      this.#take(message, handle);
      return;
    }
    try {
      this.#ledger = ConnectionLedger.open(message.file);
    } catch {
      // Then there is none.
    }
  }

  /**
   * Takes no more connections: idle ones go back to the host at once, the others when their request is answered.
   * Resolves when none is left, or at the deadline.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#startDraining();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, deadlineMs);
        this.#onDrained = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    clearInterval(this.#sweepTimer);
    this.#reports.flush();
  }

  #take({ slot, isReused, repeat }: HandedOver, handle: unknown): void {
    const httpServer = this.#httpServer;
    if (!(handle instanceof Socket)) {
      this.#reports.closed(slot, true);
    } else if (this.#isDraining || httpServer === undefined) {
      // Nothing was read yet: the host's copy stays open.
      handle.destroy();
      this.#reports.returned(slot);
    } else {
      const socket = handle;
      const options = {
        slot,
        socket,
        httpServer,
        ledger: this.#ledger,
        repeat,
        events: this.#events,
      };
      this.#connections.add(new ReceivedConnection(options));
      adoptLikeNode(httpServer, socket);
      httpServer.emit('connection', socket);
      if (isReused && httpServer.keepAliveTimeout > 0) {
        // Its first request here is not the first of the connection. `begin` lifts the limit.
        socket.setTimeout(httpServer.keepAliveTimeout);
      }
      socket.resume();
    }
  }
  #startDraining(): void {
    if (this.#isDraining) {
      return;
    }
    this.#isDraining = true;
    for (const { isEndless, socket } of this.#connections) {
      if (isEndless) {
        socket.destroySoon();
      }
    }
    this.#sweep();
    this.#sweepTimer = setInterval(() => this.#sweep(), DRAIN_SWEEP_MS).unref();
  }

  /** Returns the idle connections to the host. */
  #sweep(): void {
    for (const connection of findIdle(this.#httpServer, this.#connections)) {
      connection.return();
    }
    if (this.#connections.size === 0) {
      clearInterval(this.#sweepTimer);
    }
  }

  #remove(connection: ReceivedConnection): void {
    const { isReturned, slot, socket } = connection;
    this.#connections.delete(connection);
    if (isReturned) {
      this.#reports.returned(slot);
    } else {
      // Without its `FIN` the client learns of the end only when the host lets go too.
      this.#reports.closed(slot, !socket.writableFinished);
    }
    if (this.#connections.size === 0) {
      this.#onDrained?.();
    }
  }
}

function isConnectionMessage(message: unknown): message is ConnectionMessage {
  const type = message instanceof Object ? (message as { type?: unknown }).type : undefined;
  return type === 'connection' || type === 'connection-ledger';
}
