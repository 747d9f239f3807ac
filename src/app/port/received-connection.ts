import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  CONNECTION_STATE,
  type ConnectionLedger,
  type ConnectionState,
  isPending,
} from '../../protocol/connection-ledger.ts';

export interface ReceivedConnectionOptions {
  readonly slot: number;
  readonly socket: Socket;
  readonly httpServer: Server;
  readonly ledger: ConnectionLedger | undefined;
  /** Head of a request that another app had read when it was killed. */
  readonly repeat: string | undefined;
  readonly events: ReceivedConnectionEvents;
}

export interface ReceivedConnectionEvents {
  /** All requests that were read are answered. */
  answered(): void;
  closed(connection: ReceivedConnection): void;
}

const CONNECTION: unique symbol = Symbol('medusa-vite.connection');
type ReceivedSocket = Socket & { [CONNECTION]?: ReceivedConnection };

/** The connection that the host has handed over with this socket. */
export function connectionOf(socket: ReceivedSocket): ReceivedConnection | undefined {
  return socket[CONNECTION];
}

/** One connection that the host has handed over. It notes in the ledger what it is doing. */
export class ReceivedConnection {
  readonly slot: number;
  readonly socket: Socket;
  readonly #httpServer: Server;
  readonly #ledger: ConnectionLedger | undefined;
  readonly #events: ReceivedConnectionEvents;
  /** Its first request was sent to an app that was killed; it is not sent again a second time. */
  readonly #isRepeated: boolean;
  #state: ConnectionState = CONNECTION_STATE.idle;
  /** Requests whose response is not finished. */
  #active = 0;
  /** The last of them. */
  #response: ServerResponse | undefined;
  #isUpgraded = false;
  #isReturned = false;
  /** What had been read of the socket when the last request was answered. */
  #bytesBefore = 0;

  constructor(options: ReceivedConnectionOptions) {
    const { slot, socket, httpServer, ledger, repeat, events } = options;
    this.slot = slot;
    this.socket = socket;
    this.#httpServer = httpServer;
    this.#ledger = ledger;
    this.#events = events;
    this.#isRepeated = repeat !== undefined;
    if (repeat !== undefined) {
      this.#note(CONNECTION_STATE.pending);
      socket.unshift(Buffer.from(repeat, 'latin1'));
    }
    (socket as ReceivedSocket)[CONNECTION] = this;
    socket.on('close', () => this.#onClose());
    this.#observeWrites();
  }

  /** Whether the next app can have it: nothing of a request was read, nothing of a response is unwritten. */
  get isReturnable(): boolean {
    const { socket } = this;
    return (
      this.#active === 0 &&
      !this.#isUpgraded &&
      !socket.destroyed &&
      socket.writable &&
      socket.writableLength === 0 &&
      socket.readableLength === 0
    );
  }

  /** Whether another app serves it from now on. */
  get isReturned(): boolean {
    return this.#isReturned;
  }

  /** Whether nothing was ever read of it. */
  get isUnread(): boolean {
    return this.socket.bytesRead === 0 && !this.#isRepeated;
  }

  /** Whether it has no end to wait for. Clients of such connections connect again by themselves. */
  get isEndless(): boolean {
    return this.#isUpgraded || isEventStream(this.#response);
  }

  /** Gives it back to the host, whose copy of the socket stays open: the client notices nothing. */
  return(): void {
    this.#isReturned = true;
    this.socket.destroy();
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    // `checkContinue` is often answered by emitting `request` for the same response.
    if (this.#response === response) {
      return;
    }
    const isRepeatable = this.#active === 0 && this.#isRepeatable(request);
    if (this.#active === 0) {
      if (this.#isRepeated) {
        // What the client may have sent behind it is lost, and the client has to know.
        response.shouldKeepAlive = false;
      }
      this.#note(isRepeatable ? CONNECTION_STATE.repeatable : CONNECTION_STATE.pending);
      if (this.#response === undefined) {
        this.socket.setTimeout(this.#httpServer.timeout);
      }
    } else {
      // Pipelined: which of the responses a write belongs to is not worth finding out.
      this.#note(CONNECTION_STATE.responding);
    }
    this.#active++;
    this.#response = response;
    // Sooner than `close`: its end was just written. A repeatable request has no body to wait for.
    response.once('prefinish', () => {
      const isRead = isRepeatable || request.complete;
      if (this.#active === 1 && isRead && this.socket.writableLength === 0) {
        this.#noteAnswered();
      }
    });
    response.once('close', () => {
      this.#active--;
      if (request.complete) {
        this.#settle();
      } else {
        request.once('close', () => this.#settle());
      }
    });
  }

  upgrade(): void {
    this.#isUpgraded = true;
    this.socket.setTimeout(this.#httpServer.timeout);
    this.#note(CONNECTION_STATE.responding);
  }

  /**
   * Whether the next app can have the request, should this one be killed: by HTTP it has no effect, it has no body,
   * and not a byte more was read than can be sent again.
   */
  #isRepeatable(request: IncomingMessage): boolean {
    const { method, headers } = request;
    const isSafe =
      (method === 'GET' || method === 'HEAD') &&
      headers['content-length'] === undefined &&
      headers['transfer-encoding'] === undefined &&
      headers.expect === undefined;
    if (!isSafe || this.#isRepeated) {
      return false;
    }
    const head = headOf(request);
    const isAll = this.socket.bytesRead - this.#bytesBefore === head.length;
    return isAll && this.#ledger?.writeHead(this.slot, head) === true;
  }

  #settle(): void {
    if (this.#active > 0 || this.#isUpgraded || this.socket.destroyed) {
      return;
    }
    if (this.#isRepeated) {
      // An app may have said `keep-alive` itself.
      this.socket.destroySoon();
      return;
    }
    this.#noteAnswered();
    this.#events.answered();
  }

  #noteAnswered(): void {
    if (!this.#isRepeated) {
      this.#bytesBefore = this.socket.bytesRead;
      this.#note(CONNECTION_STATE.idle);
    }
  }

  /**
   * Notes that a response is begun before a byte of it is out: else a second answer could reach a client that has
   * this one already. Node corks the socket while it puts a response together, and the bytes leave when it is
   * uncorked.
   */
  #observeWrites(): void {
    const { socket } = this;
    const { uncork, write } = socket;
    const noteBegun = (): void => {
      if (isPending(this.#state)) {
        this.#note(CONNECTION_STATE.responding);
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

  #onClose(): void {
    // One that ends between two requests may as well count as idle until the host hears of it.
    if (this.#state !== CONNECTION_STATE.idle) {
      this.#note(CONNECTION_STATE.closed);
    }
    this.#events.closed(this);
  }

  #note(state: ConnectionState): void {
    if (this.#state !== state && this.#state !== CONNECTION_STATE.closed) {
      this.#state = state;
      this.#ledger?.writeState(this.slot, state);
    }
  }
}

/** The request as nearly every client has sent it. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    head += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

function isEventStream(response: ServerResponse | undefined): boolean {
  const contentType = response?.writableFinished ? undefined : response?.getHeader('content-type');
  return typeof contentType === 'string' && contentType.startsWith('text/event-stream');
}
