import { createServer, type Server } from 'node:http';
import { type ClientConnection, startReading, stopReading } from './client-connection.ts';
import { answerUnavailable, rawUnavailable, type Unavailable } from './unavailable.ts';

/** For a client to read the last response before its connection is cut. */
const LINGER_MS = 1_000;

/** Answers requests that no app will, with the reason. */
export class UnavailableServer {
  /** Never listens. */
  readonly #httpServer: Server;
  /** Get their answer once they send something; until then an app can still have them. */
  readonly #silent = new Map<ClientConnection, () => void>();

  constructor(options: { root: string; timeoutMs: number; why(): Unavailable }) {
    const { root, timeoutMs, why } = options;
    this.#httpServer = createServer((request, response) => {
      answerUnavailable({ request, response, unavailable: why(), root });
    });
    // Node's other limits apply only to servers that listen.
    this.#httpServer.setTimeout(timeoutMs);
  }

  /** Reads the request, if there is one, and answers it. */
  answer(connection: ClientConnection): void {
    if (connection.repeat !== undefined) {
      answerInterrupted(connection);
      return;
    }
    const { socket } = connection;
    const onData = (chunk: Buffer): void => {
      this.forget(connection);
      socket.pause();
      socket.unshift(chunk);
      this.#httpServer.emit('connection', socket);
      socket.resume();
    };
    const onEnd = (): void => {
      socket.destroy();
    };
    this.#silent.set(connection, () => {
      socket.off('data', onData);
      socket.off('end', onEnd);
    });
    socket.on('data', onData);
    socket.on('end', onEnd);
    startReading(socket);
  }

  /** The connections that never sent anything: an app can have them. */
  takeBack(): ClientConnection[] {
    const unused = [...this.#silent.keys()].filter(({ socket }) => stopReading(socket));
    for (const connection of unused) {
      this.forget(connection);
    }
    return unused;
  }

  forget(connection: ClientConnection): void {
    this.#silent.get(connection)?.();
    this.#silent.delete(connection);
  }
}

/** The request was read by an app that is gone; nothing more will come of the client. */
export function answerInterrupted({ socket }: ClientConnection): void {
  socket.end(rawUnavailable('The app stopped while it handled this request.'));
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
