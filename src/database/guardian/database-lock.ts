import { randomUUID } from 'node:crypto';
import { utimesSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode, MedusaViteError } from '../../shared/failure.ts';
import { type LockRecord, machineName, parseLockRecord, stateOf } from './lock-record.ts';

const BEAT_MS = 1000;
/** Longer than a guardian takes to stop its PostgreSQL, and than a lock takes to become stale. */
const ACQUIRE_WAIT_MS = 9000;
const POLL_MS = 100;

/**
 * Lets one guardian at a time have a data directory. PostgreSQL guards its data itself, but only against
 * processes that it can see, and so not against one in another container on the same bind mount. Hence the
 * heartbeat of the lock file.
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
    const machine = machineName();
    const record: LockRecord = { pid: process.pid, hostPid, machine, token: randomUUID() };
    const until = Date.now() + ACQUIRE_WAIT_MS;
    let firstBeatMs: number | undefined;
    for (;;) {
      if (await create(file, record)) {
        return new DatabaseLock(file, record.token);
      }
      const found = await read(file);
      if (found === undefined) {
        continue;
      }
      firstBeatMs ??= found.beatMs;
      const state = stateOf(found.record, { machine, ageMs: Date.now() - found.beatMs });
      const isBeating = state === 'unknown' && found.beatMs > firstBeatMs;
      if (state === 'held' || isBeating || Date.now() > until) {
        throw inUse(found.record);
      }
      if (state === 'stale') {
        await takeAway(file, found.text);
      } else {
        await wait(POLL_MS);
      }
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#beat);
    const found = await read(this.#file);
    if (found?.record?.token === this.#token) {
      await rm(this.#file, { force: true });
    }
  }
}

async function create(file: string, record: LockRecord): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(record), { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      return false;
    }
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
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

/** Removes the lock that was judged, and not one that another start has made since. */
async function takeAway(file: string, judged: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    // Another start was faster.
    return;
  }
  if ((await readFile(aside, 'utf8')) === judged) {
    await rm(aside, { force: true });
  } else {
    await rename(aside, file);
  }
}

function beat(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // The folder was deleted while PostgreSQL runs on it; the stop will say so.
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
