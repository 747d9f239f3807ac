import { Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import { pretendToListen } from './node-server.ts';
import { ReceivedConnections } from './received-connections.ts';

/**
 * Makes the HTTP server that is told to listen on the app's port receive its connections from the host instead.
 * Nothing is bound; to the app the server looks as if it listened.
 */
export function interceptListen(options: {
  port: number;
  /** Gets the server that would have listened, before it has a connection. */
  onServer?(server: Server): void;
}): ReceivedConnections {
  const connections = new ReceivedConnections();
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const request = parseListen(args);
    if (connections.hasServer || this.listening || request?.port !== options.port) {
      return Reflect.apply(listen, this, args) as Server;
    }
    options.onServer?.(this);
    pretendToListen(this, request);
    connections.attach(this);
    if (request.callback !== undefined) {
      this.once('listening', request.callback);
    }
    return this;
  } as typeof listen;
  process.on('message', (message: unknown, handle: unknown) =>
    connections.receive(message, handle),
  );
  return connections;
}

interface ListenRequest {
  port: number;
  host: string | undefined;
  callback: (() => void) | undefined;
}

/** Understands the forms of `listen()` that name a port. */
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
