import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server } from 'node:net';
import { deserialize } from 'node:v8';
import { tieToHost } from '../app/link/host-tie.ts';
import { developAdmin } from '../medusa/boot/admin-bundler.ts';
import type { AdminToHost, HostToAdmin } from '../protocol/admin.ts';
import { Link } from '../shared/process/link.ts';
import { serializeError } from '../shared/serialized-error.ts';

tieToHost({ end: () => process.exit(0) });
const link = new Link<AdminToHost, HostToAdmin>(process, {
  start: (message) => void start(message),
});

async function start({ id, root, request, hmrPort }: HostToAdmin): Promise<void> {
  try {
    // Without it the bundler takes any free port, but browsers with an open tab look for the previous one.
    process.env.HMR_PORT ||= String(await findFreePort(hmrPort));
    const options = deserialize(Buffer.from(request.options, 'base64')) as Record<string, unknown>;
    if (request.functions.length > 0) {
      const { readConfigFunctions } = await import('./config-functions.ts');
      const onNative = (file: string) => void link.send({ type: 'native', file });
      Object.assign(options, await readConfigFunctions(request.functions, { root, onNative }));
    }
    const port = await serve(await developAdmin(request.bundler, options));
    const address = { port, hmrPort: Number(process.env.HMR_PORT) };
    await link.send({ type: 'ready', id, address });
  } catch (error) {
    await link.send({ type: 'failed', id, error: serializeError(error) });
    process.exit(1);
  }
}

async function serve(listener: RequestListener): Promise<number> {
  const httpServer = createServer(listener);
  // The app is the only client, and keeps its connections open.
  httpServer.keepAliveTimeout = 0;
  httpServer.requestTimeout = 0;
  return listen(httpServer, { port: 0, host: '127.0.0.1' });
}

/** @param preferred taken if it is free */
async function findFreePort(preferred = 0): Promise<number> {
  const netServer = createNetServer();
  const port = await listen(netServer, { port: preferred }).catch((error: unknown) => {
    if (preferred === 0) {
      throw error;
    }
    return undefined;
  });
  await new Promise((resolve) => netServer.close(resolve));
  return port ?? findFreePort();
}

async function listen(server: Server, where: { port: number; host?: string }): Promise<number> {
  await once(server.listen(where), 'listening');
  return (server.address() as AddressInfo).port;
}
