import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { readPostmasterFile } from './postmaster-file.ts';
import { type StopOptions, stopInSteps } from './postmaster-stop.ts';
import type { ServerUser } from './server-user.ts';
import { spawnAs } from './spawn-as.ts';

export interface PostmasterOptions extends StopOptions {
  readonly user: ServerUser;
}

/** Recovery after a crash replays the log first: seconds at most for a development database. */
export const READY_WAIT_MS = 60_000;
const READY_POLL_MS = 10;
/** Characters of the log in an error. */
const LOG_TAIL = 4000;

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  // A crash of the machine may lose the commits of less than a second, but never harms the data.
  synchronous_commit: 'off',
  // The output goes to our log file, whatever the user's own configuration says.
  log_destination: 'stderr',
  logging_collector: 'off',
};

/** The PostgreSQL that this process started. */
export class Postmaster {
  readonly port: number;
  /** Resolves when the process has ended, or could not be started. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #options: PostmasterOptions;
  #hasEnded = false;
  /** Set when the process could not be started. */
  #failure: Error | undefined;

  private constructor(child: ChildProcess, port: number, options: PostmasterOptions) {
    this.#child = child;
    this.port = port;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      const end = (failure?: Error): void => {
        this.#hasEnded = true;
        this.#failure = failure;
        resolve();
      };
      child.once('error', end);
      child.once('exit', () => end());
    });
  }

  static async spawn(options: PostmasterOptions): Promise<Postmaster> {
    const { folder, binaries, user } = options;
    const port = await findFreePort();
    // A file of an earlier run may belong to another user.
    await rm(folder.log, { force: true });
    const log = openSync(folder.log, 'w', 0o600);
    try {
      const settings = Object.entries({ ...SETTINGS, port: String(port) });
      const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const child = spawnAs(user, [binaries.postgres, '-D', folder.data, ...flags], {
        stdio: ['ignore', log, log],
      });
      return new Postmaster(child, port, options);
    } finally {
      closeSync(log);
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves to false when it has ended, or does not accept connections in time. */
  async waitUntilReady(): Promise<boolean> {
    const until = Date.now() + READY_WAIT_MS;
    while (!this.#hasEnded && Date.now() < until) {
      const file = await readPostmasterFile(this.#options.folder.data);
      if (file?.isReady && (file.pid === this.pid || process.platform === 'win32')) {
        return true;
      }
      await wait(READY_POLL_MS);
    }
    return false;
  }

  async stop(): Promise<void> {
    if (this.pid !== undefined) {
      await stopInSteps(this.pid, {
        ...this.#options,
        hasEnded: () => this.#hasEnded,
        ended: (limitMs) => Promise.race([this.ended, wait(limitMs, undefined, { ref: false })]),
      });
    }
  }

  /** Without a shutdown: the next start recovers. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async describeFailure(): Promise<string> {
    const log = await readFile(this.#options.folder.log, 'utf8').catch(() => '');
    return `${this.#failure?.message ?? ''}\n${log}`.trim().slice(-LOG_TAIL);
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  probe.listen({ port: 0, host: '127.0.0.1' });
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
