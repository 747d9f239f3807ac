import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { isIPv4, type ListenOptions, Socket } from 'node:net';
import {
  CONNECTION_STATE,
  ConnectionLedger,
  type ConnectionState,
  isPending,
} from '../../protocol/connection-ledger.ts';
import type { AppToHost, HostToApp } from '../../protocol/messages.ts';

/** A finished response is noticed at once; this is for bodies that the app left unread. */
const DRAIN_SWEEP_MS = 20;

/** The client has its response and `FIN` already; only the host's copy of the socket waits for the report. */
const REPORT_DELAY_MS = 10;

export interface ReceivedConnections {
  /**
   * Takes no more work: idle connections go back to the host, the others when their request is answered.
   * Resolves when none is left, or at the deadline.
   */
  drain(deadlineMs: number): Promise<void>;
}

/**
 * Makes the HTTP server that is told to listen on the app's port receive its connections from the host
 * instead. Nothing is bound; to the app the server looks as if it listened.
 */
export function interceptListen(options: {
  port: number;
  /** Gets the server that would have listened, before it has a connection. */
  onServer?(server: Server): void;
}): ReceivedConnections {
  const connections = new Connections();
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const request = parseListen(args);
    if (connections.hasServer || this.listening || request?.port !== options.port) {
      return Reflect.apply(listen, this, args) as Server;
    }
    options.onServer?.(this);
    connections.attach(this, request);
    return this;
  } as typeof listen;
  process.on('message', (message: unknown, handle: unknown) =>
    connections.receive(message, handle),
  );
  return connections;
}

interface Connection {
  readonly slot: number;
  readonly socket: Socket;
  state: ConnectionState;
  /** Requests whose response is not finished. */
  active: number;
  /** The last of them. */
  response: ServerResponse | undefined;
  isUpgraded: boolean;
  /** Served by another child from now on. */
  isReturned: boolean;
  /** Its request was sent to an app before, which was killed; never again. */
  isRepeated: boolean;
  /** What had been read of the socket when the last request was answered. */
  bytesBefore: number;
}

const CONNECTION: unique symbol = Symbol('medusa-vite.connection');
type ReceivedSocket = Socket & { [CONNECTION]?: Connection };

class Connections implements ReceivedConnections {
  #httpServer: Server | undefined;
  #ledger: ConnectionLedger | undefined;
  readonly #connections = new Set<Connection>();
  #isDraining = false;
  /** Set while draining. */
  #sweepTimer: NodeJS.Timeout | undefined;
  /** Set while `drain()` waits, called when the last connection has gone. */
  #onDrained: (() => void) | undefined;
  /** What the next message to the host will say; empty when none is scheduled. */
  #closed: number[] = [];
  #returned: number[] = [];
  #reportTimer: NodeJS.Timeout | undefined;
  #urgentReport: NodeJS.Immediate | undefined;

  get hasServer(): boolean {
    return this.#httpServer !== undefined;
  }

  attach(httpServer: Server, request: ListenRequest): void {
    this.#httpServer = httpServer;
    // What Node gives to the workers of a cluster, whose primary accepts for them.
    const handle = {
      close: () => {},
      ref: () => {},
      unref: () => {},
      hasRef: () => false,
      getsockname: (out: Record<string, unknown>) => {
        const address = request.host ?? '::';
        out.address = address;
        out.family = isIPv4(address) ? 'IPv4' : 'IPv6';
        out.port = request.port;
        return 0;
      },
    };
    Object.assign(httpServer, { _handle: handle });
    this.#observeRequests(httpServer);
    const { close } = httpServer;
    httpServer.close = (callback) => {
      // Else Node destroys idle connections, to which the client may be writing.
      this.#startDraining();
      return Reflect.apply(close, httpServer, [callback]) as Server;
    };
    if (request.callback !== undefined) {
      httpServer.once('listening', request.callback);
    }
    process.nextTick(() => {
      if (httpServer.listening) {
        httpServer.emit('listening');
      }
    });
  }

  receive(message: unknown, handle: unknown): void {
    if (!isConnectionMessage(message)) {
      return;
    }
    if (message.type === 'connection-ledger') {
      try {
        this.#ledger = ConnectionLedger.open(message.file);
      } catch {
        // Then all connections count as idle if this process is killed.
      }
      return;
    }
    const { slot } = message;
    if (!(handle instanceof Socket)) {
      this.#report({ slot, isReturned: false }, true);
      return;
    }
    const httpServer = this.#httpServer;
    if (this.#isDraining || httpServer === undefined) {
      // Nothing was read yet: closing this copy leaves the connection to the host's.
      handle.destroy();
      this.#report({ slot, isReturned: true }, true);
      return;
    }
    this.#serve(httpServer, {
      slot,
      socket: handle,
      isReused: message.reused,
      repeat: message.repeat,
    });
  }

  #serve(httpServer: Server, { slot, socket, isReused, repeat }: ServeOptions): void {
    const connection: Connection = {
      slot,
      socket,
      state: CONNECTION_STATE.idle,
      active: 0,
      response: undefined,
      isUpgraded: false,
      isReturned: false,
      isRepeated: repeat !== undefined,
      bytesBefore: 0,
    };
    this.#connections.add(connection);
    if (repeat !== undefined) {
      this.#note(connection, CONNECTION_STATE.pending);
      socket.unshift(Buffer.from(repeat, 'latin1'));
    }
    socket[CONNECTION] = connection;
    socket.on('close', () => this.#onClose(connection));
    this.#observeWrites(connection);
    adoptLikeNode(httpServer, socket);
    httpServer.emit('connection', socket);
    if (isReused && httpServer.keepAliveTimeout > 0) {
      // Its first request here is not the first of the connection. `#begin` lifts the limit.
      socket.setTimeout(httpServer.keepAliveTimeout);
    }
    socket.resume();
  }

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
    this.#flushReports();
  }

  #startDraining(): void {
    if (this.#isDraining) {
      return;
    }
    this.#isDraining = true;
    for (const { isUpgraded, response, socket } of this.#connections) {
      // Neither has an end to wait for, and their clients connect again by themselves.
      if (isUpgraded || isEventStream(response)) {
        socket.destroySoon();
      }
    }
    this.#sweep();
    this.#sweepTimer = setInterval(() => this.#sweep(), DRAIN_SWEEP_MS).unref();
  }

  /** Returns the idle connections to the host. */
  #sweep(): void {
    for (const connection of this.#idleConnections()) {
      connection.isReturned = true;
      // Stops reading, and closes this process's copy only. To the client nothing happens.
      connection.socket.destroy();
    }
    if (this.#connections.size === 0) {
      clearInterval(this.#sweepTimer);
    }
  }

  /**
   * Those without a byte of a request. Only Node's parser knows that, and it tells by closing them: hence the
   * replaced `destroy`. To Node, one that never sent anything is not idle.
   */
  #idleConnections(): Connection[] {
    const idle = new Set<Connection>();
    for (const connection of this.#connections) {
      if (connection.socket.bytesRead === 0 && !connection.isRepeated) {
        idle.add(connection);
      }
      connection.socket.destroy = () => {
        idle.add(connection);
        return connection.socket;
      };
    }
    this.#httpServer?.closeIdleConnections();
    for (const { socket } of this.#connections) {
      Reflect.deleteProperty(socket, 'destroy');
    }
    return [...idle].filter(
      ({ active, isUpgraded, socket }) =>
        active === 0 &&
        !isUpgraded &&
        !socket.destroyed &&
        socket.writable &&
        socket.writableLength === 0 &&
        socket.readableLength === 0,
    );
  }

  /** `emit` and not `on`: a listener for `upgrade` or `checkContinue` changes what Node does. */
  #observeRequests(httpServer: Server): void {
    const { emit } = httpServer;
    httpServer.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      switch (event) {
        case 'request':
        case 'checkContinue':
        case 'checkExpectation':
          this.#begin(args[0] as IncomingMessage, args[1] as ServerResponse);
          break;
        case 'upgrade':
        case 'connect':
          this.#upgrade((args[0] as IncomingMessage).socket);
          break;
      }
      return Reflect.apply(emit, httpServer, [event, ...args]) as boolean;
    };
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = (request.socket as ReceivedSocket)[CONNECTION];
    // `checkContinue` is often answered by emitting `request` for the same response.
    if (connection === undefined || connection.response === response) {
      return;
    }
    const isRepeatable = connection.active === 0 && this.#isRepeatable(connection, request);
    if (connection.active === 0) {
      if (connection.isRepeated) {
        // What the client may have sent behind it is lost, and it has to know.
        response.shouldKeepAlive = false;
      }
      this.#note(connection, isRepeatable ? CONNECTION_STATE.repeatable : CONNECTION_STATE.pending);
      if (connection.response === undefined) {
        connection.socket.setTimeout(this.#httpServer?.timeout ?? 0);
      }
    } else {
      // Pipelined: which of the responses a write belongs to is not worth finding out.
      this.#note(connection, CONNECTION_STATE.responding);
    }
    connection.active++;
    connection.response = response;
    // Sooner than `close`: its end was just written. One that is repeatable has no body to wait for.
    response.once('prefinish', () => {
      const { active, socket } = connection;
      const isRead = isRepeatable || request.complete;
      if (active === 1 && isRead && socket.writableLength === 0) {
        this.#noteAnswered(connection);
      }
    });
    response.once('close', () => {
      connection.active--;
      if (request.complete) {
        this.#settle(connection);
      } else {
        request.once('close', () => this.#settle(connection));
      }
    });
  }

  /**
   * A request that by HTTP has no effect, without a body, of which not a byte more was read than can be sent
   * again: then another app can have it, should this one be killed.
   */
  #isRepeatable(connection: Connection, request: IncomingMessage): boolean {
    const { method, headers } = request;
    const { bytesBefore, isRepeated, slot, socket } = connection;
    const isSafe =
      (method === 'GET' || method === 'HEAD') &&
      headers['content-length'] === undefined &&
      headers['transfer-encoding'] === undefined &&
      headers.expect === undefined;
    if (!isSafe || isRepeated) {
      return false;
    }
    const head = headOf(request);
    const isAll = socket.bytesRead - bytesBefore === head.length;
    return isAll && this.#ledger?.writeHead(slot, head) === true;
  }

  #settle(connection: Connection): void {
    const { active, isRepeated, isUpgraded, socket } = connection;
    if (active > 0 || isUpgraded || socket.destroyed) {
      return;
    }
    if (isRepeated) {
      // An app may have said `keep-alive` itself.
      socket.destroySoon();
      return;
    }
    this.#noteAnswered(connection);
    if (this.#isDraining) {
      setImmediate(() => this.#sweep());
    }
  }

  #noteAnswered(connection: Connection): void {
    if (!connection.isRepeated) {
      connection.bytesBefore = connection.socket.bytesRead;
      this.#note(connection, CONNECTION_STATE.idle);
    }
  }

  #upgrade(socket: ReceivedSocket): void {
    const connection = socket[CONNECTION];
    if (connection !== undefined) {
      connection.isUpgraded = true;
      socket.setTimeout(this.#httpServer?.timeout ?? 0);
      this.#note(connection, CONNECTION_STATE.responding);
    }
  }

  /**
   * Notes that a response is begun before a byte of it is out: else a second answer could reach a client that has
   * this one already. Node corks the socket while it puts a response together, and the bytes leave when it is
   * uncorked.
   */
  #observeWrites(connection: Connection): void {
    const { socket } = connection;
    const { uncork, write } = socket;
    const noteBegun = (): void => {
      if (isPending(connection.state)) {
        this.#note(connection, CONNECTION_STATE.responding);
      }
    };
    socket.write = ((...args: unknown[]) => {
      if (socket.writableCorked === 0) {
        noteBegun();
      }
      return Reflect.apply(write, socket, args) as boolean;
    }) as typeof write;
    socket.uncork = () => {
      if (socket.writableCorked === 1 && socket.writableLength > 0) {
        noteBegun();
      }
      uncork.call(socket);
    };
  }

  #onClose(connection: Connection): void {
    this.#connections.delete(connection);
    // One that ends between two requests may as well be taken for idle until the host hears of it.
    if (connection.state !== CONNECTION_STATE.idle) {
      this.#note(connection, CONNECTION_STATE.closed);
    }
    // Without its `FIN` the client learns of the end only when the host lets go too.
    this.#report(connection, connection.isReturned || !connection.socket.writableFinished);
    if (this.#connections.size === 0) {
      this.#onDrained?.();
    }
  }

  #note(connection: Connection, state: ConnectionState): void {
    if (connection.state !== state && connection.state !== CONNECTION_STATE.closed) {
      connection.state = state;
      this.#ledger?.writeState(connection.slot, state);
    }
  }

  /** `isUrgent`: the client waits for what the host will do. */
  #report({ slot, isReturned }: { slot: number; isReturned: boolean }, isUrgent: boolean): void {
    (isReturned ? this.#returned : this.#closed).push(slot);
    if (isUrgent) {
      this.#urgentReport ??= setImmediate(() => this.#flushReports());
    } else {
      this.#reportTimer ??= setTimeout(() => this.#flushReports(), REPORT_DELAY_MS);
    }
  }

  #flushReports(): void {
    clearTimeout(this.#reportTimer);
    clearImmediate(this.#urgentReport);
    this.#reportTimer = undefined;
    this.#urgentReport = undefined;
    if (this.#closed.length + this.#returned.length === 0) {
      return;
    }
    const message: AppToHost = {
      type: 'connections',
      closed: this.#closed,
      returned: this.#returned,
    };
    this.#closed = [];
    this.#returned = [];
    if (process.connected) {
      process.send?.(message, undefined, undefined, () => {
        // The host has gone: so does this process.
      });
    }
  }
}

interface ServeOptions {
  slot: number;
  socket: ReceivedSocket;
  isReused: boolean;
  /** Head of a request that another child had read. */
  repeat: string | undefined;
}

/** The request as nearly every client has sent it. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    head += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

interface ListenRequest {
  port: number;
  host: string | undefined;
  callback: (() => void) | undefined;
}

/** The forms of `listen()` that name a port. */
function parseListen(args: unknown[]): ListenRequest | undefined {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = args;
  const { port, host } =
    first instanceof Object && typeof first !== 'function'
      ? (first as ListenOptions)
      : { port: first, host: second };
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
  return typeof number === 'number'
    ? { port: number, host: typeof host === 'string' && host !== '' ? host : undefined, callback }
    : undefined;
}

/** What `net.Server` does to a connection that it accepted itself. */
function adoptLikeNode(httpServer: Server, socket: Socket): void {
  const counter = httpServer as unknown as { _connections: number; allowHalfOpen: boolean } & {
    noDelay?: boolean;
    keepAlive?: boolean;
    keepAliveInitialDelay?: number;
  };
  counter._connections++;
  // On closing, the socket counts itself off there: the server's `close` event depends on it.
  Object.assign(socket, { server: httpServer, _server: httpServer });
  socket.allowHalfOpen = counter.allowHalfOpen;
  if (counter.noDelay) {
    socket.setNoDelay(true);
  }
  if (counter.keepAlive) {
    socket.setKeepAlive(true, counter.keepAliveInitialDelay);
  }
}

function isEventStream(response: ServerResponse | undefined): boolean {
  const contentType = response?.writableFinished ? undefined : response?.getHeader('content-type');
  return typeof contentType === 'string' && contentType.startsWith('text/event-stream');
}

function isConnectionMessage(
  message: unknown,
): message is Extract<HostToApp, { type: 'connection' | 'connection-ledger' }> {
  const type = message instanceof Object ? (message as { type?: unknown }).type : undefined;
  return type === 'connection' || type === 'connection-ledger';
}
