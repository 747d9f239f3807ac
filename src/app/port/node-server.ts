import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIPv4, type Socket } from 'node:net';
import { connectionOf, type ReceivedConnection } from './received-connection.ts';

/** Fields of a server that Node does not document. */
interface ServerFields {
  _connections: number;
  allowHalfOpen: boolean;
  noDelay?: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
}

/** To the app the server looks as if it listened, though nothing is bound. */
export function pretendToListen(
  httpServer: Server,
  { port, host = '::' }: { port: number; host: string | undefined },
): void {
  // As Node gives it to the workers of a cluster, whose primary accepts for them.
  const handle = {
    close: () => {},
    ref: () => {},
    unref: () => {},
    hasRef: () => false,
    getsockname: (out: Record<string, unknown>) => {
      Object.assign(out, { address: host, family: isIPv4(host) ? 'IPv4' : 'IPv6', port });
      return 0;
    },
  };
  Object.assign(httpServer, { _handle: handle });
  process.nextTick(() => {
    if (httpServer.listening) {
      httpServer.emit('listening');
    }
  });
}

/** Does what `net.Server` does to a connection that it accepted itself. */
export function adoptLikeNode(httpServer: Server, socket: Socket): void {
  const fields = httpServer as unknown as ServerFields;
  fields._connections++;
  // On closing, the socket counts itself off there: the server's `close` event depends on it.
  Object.assign(socket, { server: httpServer, _server: httpServer });
  socket.allowHalfOpen = fields.allowHalfOpen;
  if (fields.noDelay) {
    socket.setNoDelay(true);
  }
  if (fields.keepAlive) {
    socket.setKeepAlive(true, fields.keepAliveInitialDelay);
  }
}

/** Replaces `emit` and adds no listener: one for `upgrade` or `checkContinue` changes what Node does. */
export function observeRequests(httpServer: Server): void {
  const { emit } = httpServer;
  httpServer.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    switch (event) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation': {
        const request = args[0] as IncomingMessage;
        connectionOf(request.socket)?.begin(request, args[1] as ServerResponse);
        break;
      }
      case 'upgrade':
      case 'connect':
        connectionOf((args[0] as IncomingMessage).socket)?.upgrade();
        break;
    }
    return Reflect.apply(emit, httpServer, [event, ...args]) as boolean;
  };
}

/**
 * Finds the connections without a byte of a request. Only Node's parser knows them, and it tells by closing them:
 * hence the replaced `destroy`. To Node, one that never sent anything is not idle.
 */
export function findIdle(
  httpServer: Server | undefined,
  connections: Iterable<ReceivedConnection>,
): ReceivedConnection[] {
  const idle = new Set<ReceivedConnection>();
  for (const connection of connections) {
    const { socket } = connection;
    if (connection.isUnread) {
      idle.add(connection);
    }
    socket.destroy = () => {
      idle.add(connection);
      return socket;
    };
  }
  httpServer?.closeIdleConnections();
  for (const { socket } of connections) {
    Reflect.deleteProperty(socket, 'destroy');
  }
  return [...idle].filter(({ isReturnable }) => isReturnable);
}
