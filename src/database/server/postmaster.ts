import type { ChildProcess } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { MedusaViteError } from '../../shared/failure.ts';
import type { DatabaseFolder } from '../database-folder.ts';
import { DATABASE_FOLDER_NAME } from '../database-folder.ts';
import type { PostgresPackage } from './postgres-package.ts';
import { identifyPostmaster, readPostmasterFile } from './postmaster-file.ts';
import type { ServerUser } from './server-user.ts';
import { spawnAs } from './server-user.ts';

export interface PostmasterOptions {
  readonly folder: DatabaseFolder;
  readonly binaries: PostgresPackage;
  readonly user: ServerUser;
}

/** Recovery after a crash replays the log first: seconds at most for a development database. */
const READY_WAIT_MS = 60_000;
const READY_POLL_MS = 10;
/** Another program took the port between our choice and PostgreSQL's bind. */
const PORT_ATTEMPTS = 5;
/** The workers of a killed PostgreSQL notice it within a second, and leave its shared memory. */
const SHARED_MEMORY_WAIT_MS = 10_000;
const SHARED_MEMORY_POLL_MS = 200;
/**
 * A fast shutdown writes a checkpoint, far below a second for a development database. The three
 * limits together stay below the six seconds after which nothing of a killed host may be left.
 */
const FAST_STOP_WAIT_MS = 3000;
const IMMEDIATE_STOP_WAIT_MS = 1000;
const KILL_WAIT_MS = 1000;
const STOP_POLL_MS = 20;

/** Characters of the log in an error. */
const LOG_TAIL = 4000;

const STOP_STEPS = [
  { mode: 'fast', signal: 'SIGINT', waitMs: FAST_STOP_WAIT_MS },
  { mode: 'immediate', signal: 'SIGQUIT', waitMs: IMMEDIATE_STOP_WAIT_MS },
  { mode: 'kill', signal: 'SIGKILL', waitMs: KILL_WAIT_MS },
] as const;

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  // A crash of the machine may lose the last commits (under a second), but never harms the data.
  synchronous_commit: 'off',
  // The output goes to our log file, also when the user's own configuration says otherwise.
  log_destination: 'stderr',
  logging_collector: 'off',
};

/** The PostgreSQL that this process started. */
export class Postmaster {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #options: PostmasterOptions;
  /** Set when the process has ended, or could not be started. */
  #hasEnded = false;
  #failure: Error | undefined;
  readonly ended: Promise<void>;

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

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  static async spawn(options: PostmasterOptions): Promise<Postmaster> {
    const port = await findFreePort();
    // A file of an earlier run may belong to another user.
    await rm(options.folder.log, { force: true });
    const log = openSync(options.folder.log, 'w', 0o600);
    try {
      const settings = Object.entries({ ...SETTINGS, port: String(port) });
      const child = spawnAs(
        options.user,
        [
          options.binaries.postgres,
          '-D',
          options.folder.data,
          ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ],
        { stdio: ['ignore', log, log] },
      );
      return new Postmaster(child, port, options);
    } finally {
      closeSync(log);
    }
  }

  /** Whether it accepts connections; `false` when it has ended, or has not answered in time. */
  async waitUntilReady(): Promise<boolean> {
    const until = Date.now() + READY_WAIT_MS;
    while (!this.#hasEnded && Date.now() < until) {
      const file = await readPostmasterFile(this.#options.folder.data);
      if (file?.isReady && (file.pid === this.pid || process.platform === 'win32')) return true;
      await wait(READY_POLL_MS);
    }
    return false;
  }

  async stop(): Promise<void> {
    if (this.#hasEnded || this.pid === undefined) return;
    for (const { mode, signal, waitMs } of STOP_STEPS) {
      sendStop({ pid: this.pid, mode, signal, ...this.#options });
      await Promise.race([this.ended, wait(waitMs, undefined, { ref: false })]);
      if (this.#hasEnded) return;
    }
  }

  /** Without a shutdown: the next start recovers. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async describeFailure(): Promise<string> {
    const log = await readFile(this.#options.folder.log, 'utf8').catch(() => '');
    const failure = this.#failure;
    if (failure === undefined) return log.trim().slice(-LOG_TAIL);
    return `${failure.message}\n${log}`.trim().slice(-LOG_TAIL);
  }
}

/**
 * Starts PostgreSQL and waits until it answers. `onSpawn` gets each attempt, so that a stop in the
 * middle of the start reaches it.
 */
export async function startPostmaster(
  options: PostmasterOptions & { onSpawn(postmaster: Postmaster): void },
): Promise<Postmaster> {
  const sharedMemoryUntil = Date.now() + SHARED_MEMORY_WAIT_MS;
  for (let attempt = 1; ; ) {
    const postmaster = await Postmaster.spawn(options);
    options.onSpawn(postmaster);
    if (await postmaster.waitUntilReady()) return postmaster;
    const output = await postmaster.describeFailure();
    const hasEnded = postmaster.hasEnded;
    await postmaster.stop();
    if (
      hasEnded &&
      /could not (?:bind|create any TCP\/IP)/.test(output) &&
      attempt < PORT_ATTEMPTS
    ) {
      attempt += 1;
    } else if (hasEnded && isSharedMemoryInUse(output) && Date.now() < sharedMemoryUntil) {
      await wait(SHARED_MEMORY_POLL_MS);
    } else {
      throw startFailure(output, hasEnded);
    }
  }
}

/** Stops one PostgreSQL whose guardian was killed, unless it has ended or was taken over since. */
export async function stopOrphan(
  pid: number,
  options: Omit<PostmasterOptions, 'user'>,
): Promise<void> {
  const file = await readPostmasterFile(options.folder.data);
  if (file?.pid === pid) await stopByPid(pid, options);
}

/** Handles what a killed run left behind. Only for the holder of the lock. */
export async function stopLeftover(
  options: Omit<PostmasterOptions, 'user'>,
  log: (line: string) => void,
): Promise<void> {
  const { data } = options.folder;
  const file = await readPostmasterFile(data);
  if (file === undefined) return;
  const identity = identifyPostmaster(file.pid, data);
  switch (identity) {
    case 'gone':
      // PostgreSQL mends that itself, except when the dead process is a zombie: it takes it for alive.
      break;
    case 'other':
      break;
    case 'ours': {
      log(`stopping the PostgreSQL that an earlier run left behind (process ${file.pid})`);
      await stopByPid(file.pid, options);
      break;
    }
    default:
      identity satisfies never;
  }
  await rm(join(data, 'postmaster.pid'), { force: true });
}

/** Stops a PostgreSQL that is not our child. */
async function stopByPid(pid: number, options: Omit<PostmasterOptions, 'user'>): Promise<void> {
  for (const { mode, signal, waitMs } of STOP_STEPS) {
    // Asked again before each signal: the number may have a new owner by now.
    if (identifyPostmaster(pid, options.folder.data) !== 'ours') return;
    sendStop({ pid, mode, signal, ...options });
    const until = Date.now() + waitMs;
    while (Date.now() < until) {
      if (identifyPostmaster(pid, options.folder.data) !== 'ours') return;
      await wait(STOP_POLL_MS);
    }
  }
  throw new MedusaViteError(
    `A PostgreSQL of an earlier run (process \`${pid}\`) still holds \`${DATABASE_FOLDER_NAME}/data\` and does not stop.`,
    { code: 'DATABASE_IN_USE', hint: `End process \`${pid}\`, then start again.` },
  );
}

function sendStop(
  options: Omit<PostmasterOptions, 'user'> & {
    pid: number;
    mode: (typeof STOP_STEPS)[number]['mode'];
    signal: NodeJS.Signals;
  },
): void {
  if (process.platform === 'win32' && options.mode !== 'kill') {
    // There are no signals there: Node's would end the process without a shutdown.
    spawnSync(
      options.binaries.pgCtl,
      ['stop', '-W', '-m', options.mode, '-D', options.folder.data],
      { stdio: 'ignore', timeout: KILL_WAIT_MS, windowsHide: true },
    );
    return;
  }
  try {
    process.kill(options.pid, options.signal);
  } catch {
    // It ended in this very moment.
  }
}

function isSharedMemoryInUse(output: string): boolean {
  return output.includes('pre-existing shared memory block');
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  probe.listen({ port: 0, host: '127.0.0.1' });
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') {
    throw new TypeError(
      `expected a port from the system, got ${String(address)}: a bug in medusa-vite`,
    );
  }
  return address.port;
}

function startFailure(output: string, hasEnded: boolean): MedusaViteError {
  if (output.includes('ENOENT')) {
    return new MedusaViteError(`PostgreSQL could not be executed: ${output}`, {
      code: 'DATABASE_START_FAILED',
      hint: 'Its programs need the C library of the GNU project (glibc), which Alpine has not: set `DATABASE_URL` there.',
    });
  }
  const what = hasEnded ? 'ended while it started' : `did not answer within ${READY_WAIT_MS} ms`;
  return new MedusaViteError(`PostgreSQL ${what}:\n${output}`, {
    code: 'DATABASE_START_FAILED',
    hint: `Mend what it names; to start with an empty database, delete \`${DATABASE_FOLDER_NAME}\`; or set \`DATABASE_URL\`.`,
  });
}
