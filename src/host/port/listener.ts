import type { ChildProcess } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { MedusaViteError } from '../../shared/failure.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { AppConnections } from './app-connections.ts';
import { type Connection, startReading, stopReading } from './connection.ts';
import { describePortOwner, findPortOwner } from './port-owner.ts';
import { answerUnavailable, rawUnavailable, type Unavailable } from './unavailable.ts';

/** Longer than any restart that succeeds, shorter than the 60 s after which proxies and browsers give up. */
export const HOLD_LIMIT_MS = 30_000;
/** For a client to read the last response before its connection is cut. */
const LINGER_MS = 1_000;
/** As Node has it. */
const BACKLOG = 511;

export interface Listener {
  readonly port: number;
  readonly host: string | undefined;
  /** `http://localhost:9000` */
  readonly url: string;
  /** Whether the app has read a request of which it has not begun the answer. */
  readonly isBusy: boolean;
  /** Connections go to this child, which must be listening; those that wait are handed over in order. */
  forwardTo(child: ChildProcess): void;
  /** New connections wait, at most `HOLD_LIMIT_MS`; the child keeps those it has. */
  hold(reason: string): void;
  /** New and waiting connections are answered with the error, at once. */
  fail(error: SerializedError): void;
  close(): Promise<void>;
}

export interface ListenOptions {
  port: number;
  host: string | undefined;
  /** The project, to which paths in answers are relative. */
  root: string;
}

/** Binds the app's port, which is then held until `close()`, whatever becomes of the children. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const listener = new PortListener(options.root);
  await listener.open(options);
  return listener;
}

type Mode =
  | { type: 'forward'; to: AppConnections }
  | { type: 'hold'; reason: string }
  | { type: 'fail'; error: SerializedError };

class PortListener implements Listener {
  host: string | undefined;
  port = 0;
  readonly #root: string;
  readonly #netServer: Server;
  /** Never listens: reads the requests that no child will. */
  readonly #unavailableServer = createHttpServer((request, response) => {
    answerUnavailable({ request, response, unavailable: this.#whyUnavailable(), root: this.#root });
  });
  #mode: Mode = { type: 'hold', reason: 'the app is starting' };
  readonly #children = new WeakMap<ChildProcess, AppConnections>();
  readonly #connections = new Set<Connection>();
  /** In the order in which they will be handed over. */
  readonly #waiting = new Set<Connection>();
  /** To be answered by the host once they send something; until then a child can still have them. */
  readonly #listenedTo = new Map<Connection, () => void>();

  constructor(root: string) {
    this.#root = root;
    // Nothing is read here: what the client sends stays in the kernel for the child.
    this.#netServer = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
      this.#onSocket(socket),
    );
    // Node's other limits apply only to servers that listen.
    this.#unavailableServer.setTimeout(HOLD_LIMIT_MS);
  }

  async open({ port, host }: ListenOptions): Promise<void> {
    this.host = host;
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        explainListenError(error, { port, host }).then(reject, reject);
      };
      this.#netServer.once('error', onError);
      // Without a host Node binds `::` for both families, and 0.0.0.0 where there is no IPv6.
      this.#netServer.listen({ port, host, backlog: BACKLOG }, () => {
        this.#netServer.off('error', onError);
        resolve();
      });
    });
    // A failed `accept` (no file handle left) concerns one client, not the port.
    this.#netServer.on('error', () => {});
    this.port = (this.#netServer.address() as AddressInfo).port;
  }

  get url(): string {
    const isAny = this.host === undefined || this.host === '::' || this.host === '0.0.0.0';
    const name = isAny ? 'localhost' : this.host;
    return `http://${name?.includes(':') ? `[${name}]` : name}:${this.port}`;
  }

  get isBusy(): boolean {
    return this.#mode.type === 'forward' && this.#mode.to.isBusy;
  }

  forwardTo(child: ChildProcess): void {
    if (!child.connected || child.exitCode !== null || child.signalCode !== null) {
      this.hold('the app has stopped');
      return;
    }
    const to = this.#children.get(child) ?? this.#adopt(child);
    if (to.isStopped) {
      this.hold('the app is stopping');
      return;
    }
    this.#enter({ type: 'forward', to });
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const connection of [...waiting, ...this.#takeBack()]) {
      clearTimeout(connection.waitTimer);
      to.add(connection);
    }
  }

  hold(reason: string): void {
    this.#enter({ type: 'hold', reason });
    // Those that are about to be told why there was no app wait for the next one as well.
    for (const connection of this.#takeBack()) {
      this.#route(connection);
    }
  }

  fail(error: SerializedError): void {
    this.#enter({ type: 'fail', error });
    for (const connection of [...this.#waiting]) {
      this.#answer(connection);
    }
  }

  async close(): Promise<void> {
    const isClosed = new Promise<void>((resolve) => this.#netServer.close(() => resolve()));
    for (const { socket } of this.#connections) {
      socket.destroy();
    }
    await isClosed;
  }

  #enter(mode: Mode): void {
    const previous = this.#mode;
    this.#mode = mode;
    if (previous.type === 'forward' && !(mode.type === 'forward' && mode.to === previous.to)) {
      previous.to.withdraw();
    }
  }

  #onSocket(socket: Socket): void {
    // Node would have the child report on this socket again, for `getConnections()`.
    (socket as { server?: unknown }).server = undefined;
    const connection: Connection = {
      socket,
      reused: false,
      waitTimer: undefined,
      failedHandovers: 0,
    };
    this.#connections.add(connection);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(connection.waitTimer);
      this.#connections.delete(connection);
      this.#waiting.delete(connection);
      this.#listenedTo.delete(connection);
    });
    this.#route(connection);
  }

  #route(connection: Connection): void {
    switch (this.#mode.type) {
      case 'forward':
        this.#mode.to.add(connection);
        break;
      case 'hold':
        this.#waiting.add(connection);
        connection.waitTimer = setTimeout(() => this.#answer(connection), HOLD_LIMIT_MS).unref();
        break;
      case 'fail':
        this.#answer(connection);
        break;
    }
  }

  #adopt(child: ChildProcess): AppConnections {
    const connections: AppConnections = new AppConnections(child, {
      returned: (connection) => this.#route(connection),
      interrupted: answerInterrupted,
      ended: ({ socket }) => socket.destroy(),
      stopped: () => {
        if (this.#mode.type === 'forward' && this.#mode.to === connections) {
          this.#mode = { type: 'hold', reason: 'the app has stopped' };
        }
      },
    });
    this.#children.set(child, connections);
    return connections;
  }

  /** Reads the request, if there is one, and says why there is no other answer. */
  #answer(connection: Connection): void {
    this.#waiting.delete(connection);
    clearTimeout(connection.waitTimer);
    if (connection.repeat !== undefined) {
      answerInterrupted(connection);
      return;
    }
    const { socket } = connection;
    const onData = (chunk: Buffer): void => {
      this.#stopListeningTo(connection);
      socket.pause();
      socket.unshift(chunk);
      this.#unavailableServer.emit('connection', socket);
      socket.resume();
    };
    const onEnd = (): void => {
      socket.destroy();
    };
    this.#listenedTo.set(connection, () => {
      socket.off('data', onData);
      socket.off('end', onEnd);
    });
    socket.on('data', onData);
    socket.on('end', onEnd);
    startReading(connection);
  }

  #stopListeningTo(connection: Connection): void {
    this.#listenedTo.get(connection)?.();
    this.#listenedTo.delete(connection);
  }

  /** Connections that were to be answered here but never sent anything. */
  #takeBack(): Connection[] {
    const unused = [...this.#listenedTo.keys()].filter((connection) => stopReading(connection));
    for (const connection of unused) {
      this.#stopListeningTo(connection);
    }
    return unused;
  }

  #whyUnavailable(): Unavailable {
    switch (this.#mode.type) {
      case 'forward':
        return { type: 'waiting', reason: 'the app has just started; try again' };
      case 'hold':
        return { type: 'waiting', reason: this.#mode.reason };
      case 'fail':
        return { type: 'failed', error: this.#mode.error };
    }
  }
}

/** The request was read by an app that is gone; nothing more will come of the client. */
function answerInterrupted({ socket }: Connection): void {
  socket.end(rawUnavailable('The app stopped while it handled this request.'));
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

async function explainListenError(
  error: NodeJS.ErrnoException,
  { port, host }: { port: number; host: string | undefined },
): Promise<MedusaViteError> {
  switch (error.code) {
    case 'EADDRINUSE': {
      const owner = await findPortOwner(port);
      const by = owner === undefined ? '' : ` by ${describePortOwner(owner)}`;
      return new MedusaViteError(`Port \`${port}\` is in use${by}.`, {
        code: 'PORT_IN_USE',
        hint: 'Stop that program, or choose another port: `-p`, `PORT` or the option `port`.',
        cause: error,
      });
    }
    case 'EACCES':
      return new MedusaViteError(`No permission to listen on port \`${port}\`.`, {
        code: 'PORT_NOT_PERMITTED',
        hint: 'Choose another port: `-p`, `PORT` or the option `port`. Those above 1023 need no permission.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new MedusaViteError(`This machine has no address \`${host}\`.`, {
        code: 'HOST_NOT_AVAILABLE',
        hint: 'Choose another one: `-H`, `HOST` or the option `host`. Without one, all addresses are listened on.',
        cause: error,
      });
    default:
      return new MedusaViteError(`Cannot listen on port \`${port}\`: ${error.message}`, {
        code: 'LISTEN_FAILED',
        cause: error,
      });
  }
}
