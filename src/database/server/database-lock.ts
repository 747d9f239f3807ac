import { randomUUID } from 'node:crypto';
import { readlinkSync, utimesSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { MedusaViteError } from '../../shared/failure.ts';
import { isProcessAlive } from './postmaster-file.ts';

export interface LockRecord {
  /** The guardian. */
  readonly pid: number;
  readonly hostPid: number;
  /** Process numbers mean something on this machine (and in this container) only. */
  readonly machine: string;
  readonly token: string;
}

export type LockState = 'held' | 'closing' | 'unknown' | 'stale';

const BEAT_MS = 1000;
/** Five missed beats: the event loop of a guardian is idle, so one that is alive misses none. */
const STALE_AFTER_MS = 5000;
/** Longer than a guardian takes to stop its PostgreSQL, and than a lock takes to become stale. */
const ACQUIRE_WAIT_MS = 9000;
const POLL_MS = 100;

/**
 * One guardian at a time for one data directory. PostgreSQL guards its data itself, but only against
 * processes that it can see: not against one in another container on the same bind mount. Therefore
 * the file has a heartbeat.
 */
export class DatabaseLock {
  readonly #file: string;
  readonly #token: string;
  readonly #beat: NodeJS.Timeout;

  private constructor(file: string, token: string) {
    this.#file = file;
    this.#token = token;
    this.#beat = setInterval(() => beat(file), BEAT_MS).unref();
  }

  static async acquire(file: string, hostPid: number): Promise<DatabaseLock> {
    const record: LockRecord = {
      pid: process.pid,
      hostPid,
      machine: machineName(),
      token: randomUUID(),
    };
    const until = Date.now() + ACQUIRE_WAIT_MS;
    let firstBeatMs: number | undefined;
    for (;;) {
      if (await create(file, record)) return new DatabaseLock(file, record.token);
      const found = await read(file);
      if (found === undefined) continue;
      firstBeatMs ??= found.beatMs;
      const state = stateOf(found.record, {
        machine: record.machine,
        ageMs: Date.now() - found.beatMs,
      });
      const isBeating = state === 'unknown' && found.beatMs > firstBeatMs;
      if (state === 'held' || isBeating || Date.now() > until) throw inUse(found.record);
      if (state === 'stale') await takeAway(file, found.text);
      else await wait(POLL_MS);
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#beat);
    const found = await read(this.#file);
    if (found?.record?.token === this.#token) await rm(this.#file, { force: true });
  }
}

/**
 * `held`: its host runs. `closing`: its host is gone and its guardian is stopping PostgreSQL.
 * `unknown`: held from a machine whose processes we do not see, or not yet written.
 */
export function stateOf(
  record: LockRecord | undefined,
  { machine, ageMs }: { machine: string; ageMs: number },
): LockState {
  const isFresh = Math.abs(ageMs) < STALE_AFTER_MS;
  if (!isFresh) return 'stale';
  if (record === undefined || record.machine !== machine) return 'unknown';
  if (!isProcessAlive(record.pid)) return 'stale';
  return isProcessAlive(record.hostPid) ? 'held' : 'closing';
}

export function parseLockRecord(text: string): LockRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, hostPid, machine, token } = value as Record<string, unknown>;
  const isRecord =
    Number.isSafeInteger(pid) &&
    Number.isSafeInteger(hostPid) &&
    typeof machine === 'string' &&
    typeof token === 'string';
  if (!isRecord) return undefined;
  return { pid: Number(pid), hostPid: Number(hostPid), machine, token };
}

async function create(file: string, record: LockRecord): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(record), { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function read(
  file: string,
): Promise<{ text: string; record: LockRecord | undefined; beatMs: number } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    return { text, record: parseLockRecord(text), beatMs: mtimeMs };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes exactly the lock that was judged, not one that another start has made since. */
async function takeAway(file: string, judged: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    // Another start was faster.
    return;
  }
  if ((await readFile(aside, 'utf8')) === judged) await rm(aside, { force: true });
  else await rename(aside, file);
}

function beat(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // The folder was deleted while PostgreSQL runs on it; stopping will say so.
  }
}

function machineName(): string {
  if (process.platform !== 'linux') return hostname();
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function inUse(record: LockRecord | undefined): MedusaViteError {
  const where =
    record === undefined || record.machine === machineName()
      ? `process \`${record?.hostPid ?? 'unknown'}\``
      : `process \`${record.hostPid}\` on \`${record.machine.split(' ')[0]}\``;
  return new MedusaViteError(
    `The database of this project is in use by another \`medusa-vite dev\` (${where}).`,
    {
      code: 'DATABASE_IN_USE',
      hint: 'Stop that one first, or give this one a database of its own with `DATABASE_URL`.',
    },
  );
}
