import { type AddressInfo, createServer, type Server } from 'node:net';

/** Below the ports that systems give to programs that ask for any port, so that none of them gets one of these. */
const FIRST_PORT = 12_000;
const PORTS_PER_WORKER = 1_000;
const MAX_WORKERS = 16;

/** Finds a port on which no program listens now, and for which no other test file asks. */
export async function freePort(): Promise<number> {
  const worker = Number(process.env.VITEST_POOL_ID ?? 0) % MAX_WORKERS;
  for (;;) {
    const random = Math.floor(Math.random() * PORTS_PER_WORKER);
    const port = FIRST_PORT + worker * PORTS_PER_WORKER + random;
    if (await isFree(port)) {
      return port;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
