import type { ChildProcess } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { AppConnections } from './app-connections.ts';
import type { ClientConnection } from './client-connection.ts';
import { explainListenError } from './listen-error.ts';
import type { Unavailable } from './unavailable.ts';
import { answerInterrupted, UnavailableServer } from './unavailable-server.ts';

/** Longer than any restart that succeeds, shorter than the 60 s after which proxies and browsers give up. */
export const HOLD_LIMIT_MS = 30_000;
/** As Node has it. */
const BACKLOG = 511;

export interface ListenOptions {
  port: number;
  host: string | undefined;
  /** The project, to which paths in answers are relative. */
  root: string;
}

/** Binds the app's port, which the host keeps until `close()`, whatever becomes of its apps. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const listener = new Listener(options);
  await listener.open(options.port);
  return listener;
}

type Mode =
  | { type: 'forward'; to: AppConnections }
  | { type: 'hold'; reason: string }
  | { type: 'fail'; error: SerializedError };

/** The app's port: its connections are handed over to an app, held, or answered with an error. */
export class Listener {
  readonly host: string | undefined;
  /** Set by `open`. */
  #port = 0;
  readonly #netServer: Server;
  readonly #unavailableServer: UnavailableServer;
  #mode: Mode = { type: 'hold', reason: 'the app is starting' };
  readonly #apps = new WeakMap<ChildProcess, AppConnections>();
  readonly #connections = new Set<ClientConnection>();
  /** In the order in which they will be handed over. */
  readonly #waiting = new Set<ClientConnection>();

  constructor({ host, root }: ListenOptions) {
    this.host = host;
    this.#unavailableServer = new UnavailableServer({
      root,
      timeoutMs: HOLD_LIMIT_MS,
      why: () => this.#whyUnavailable(),
    });
    // Nothing is read here: what the client sends stays in the kernel for the app.
    this.#netServer = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
      this.#onSocket(socket),
    );
  }

  async open(port: number): Promise<void> {
    const { host } = this;
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
    this.#port = (this.#netServer.address() as AddressInfo).port;
  }

  get port(): number {
    return this.#port;
  }

  /** `http://localhost:9000` */
  get url(): string {
    const isAny = this.host === undefined || this.host === '::' || this.host === '0.0.0.0';
    const name = isAny ? 'localhost' : this.host;
    return `http://${name?.includes(':') ? `[${name}]` : name}:${this.#port}`;
  }

  /** Whether the app has read a request of which it has not begun the answer. */
  get isBusy(): boolean {
    return this.#mode.type === 'forward' && this.#mode.to.isBusy;
  }

  /** Hands over to this app, which must be listening: what waits first, in order, and each new connection. */
  forwardTo(app: ChildProcess): void {
    if (!app.connected || app.exitCode !== null || app.signalCode !== null) {
      this.hold('the app has stopped');
      return;
    }
    const to = this.#apps.get(app) ?? this.#adopt(app);
    if (to.isStopped) {
      this.hold('the app is stopping');
      return;
    }
    this.#enter({ type: 'forward', to });
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const connection of [...waiting, ...this.#unavailableServer.takeBack()]) {
      clearTimeout(connection.waitTimer);
      to.add(connection);
    }
  }

  /** New connections wait, at most `HOLD_LIMIT_MS`; the app keeps those it has. */
  hold(reason: string): void {
    this.#enter({ type: 'hold', reason });
    // Those that are about to be told why there was no app wait for the next one as well.
    for (const connection of this.#unavailableServer.takeBack()) {
      this.#route(connection);
    }
  }

  /** New and waiting connections are answered with the error, at once. */
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
    // Node would have the app report on this socket again, for `getConnections()`.
    (socket as { server?: unknown }).server = undefined;
    const connection: ClientConnection = {
      socket,
      isReused: false,
      waitTimer: undefined,
      failedHandovers: 0,
    };
    this.#connections.add(connection);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(connection.waitTimer);
      this.#connections.delete(connection);
      this.#waiting.delete(connection);
      this.#unavailableServer.forget(connection);
    });
    this.#route(connection);
  }

  #route(connection: ClientConnection): void {
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

  #adopt(app: ChildProcess): AppConnections {
    const connections: AppConnections = new AppConnections(app, {
      returned: (connection) => this.#route(connection),
      interrupted: answerInterrupted,
      ended: ({ socket }) => socket.destroy(),
      stopped: () => {
        if (this.#mode.type === 'forward' && this.#mode.to === connections) {
          this.#mode = { type: 'hold', reason: 'the app has stopped' };
        }
      },
    });
    this.#apps.set(app, connections);
    return connections;
  }

  #answer(connection: ClientConnection): void {
    this.#waiting.delete(connection);
    clearTimeout(connection.waitTimer);
    this.#unavailableServer.answer(connection);
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
