import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../e2e/support/ports.ts';
import { until } from '../../e2e/support/until.ts';

export interface Redis {
  url: string;
  /** How many clients are connected. */
  clients(): Promise<number>;
  stop(): Promise<void>;
}

/** A Redis of the test's own, that keeps nothing. @throws where there is no `redis-server` */
export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'medusa-vite-redis-'));
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { cwd: folder, stdio: 'ignore', detached: true },
  );
  const missing = once(server, 'error').then(([error]) => {
    throw new Error('There is no redis-server (Debian: `apt-get install redis-server`).', {
      cause: error,
    });
  });
  missing.catch(() => {});
  await Promise.race([
    missing,
    until(
      () => command(port, 'PING').catch(() => ''),
      (answer) => answer.includes('PONG'),
    ),
  ]);
  return {
    url: `redis://127.0.0.1:${port}`,
    async clients() {
      const info = await command(port, 'INFO clients');
      return Number(/connected_clients:(\d+)/.exec(info)?.[1]);
    },
    async stop() {
      await stop(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One command on a connection of its own; the answer as Redis writes it. */
async function command(port: number, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(`${line}\r\n`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString('utf8');
  } finally {
    socket.destroy();
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    await exited;
  }
}
