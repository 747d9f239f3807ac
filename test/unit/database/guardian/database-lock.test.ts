import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseLock } from '../../../../src/database/guardian/database-lock.ts';
import { type LockRecord, parseLockRecord } from '../../../../src/database/guardian/lock-record.ts';

/** Above the limit of every system's process numbers. */
const NO_PROCESS = 2 ** 30;
const record: LockRecord = {
  pid: process.pid,
  hostPid: process.pid,
  machine: 'here',
  token: 'a',
};

describe('DatabaseLock', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'medusa-vite-lock-'));
    file = join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('refuses a second holder and names the first, then can be had again', async () => {
    const first = await DatabaseLock.acquire(file, process.pid);
    await expect(DatabaseLock.acquire(file, process.pid)).rejects.toMatchObject({
      code: 'DATABASE_IN_USE',
      message: expect.stringContaining(`\`${process.pid}\``),
    });
    await first.release();
    const second = await DatabaseLock.acquire(file, process.pid);
    await second.release();
  });

  it('takes over the lock of a guardian that is gone', async () => {
    const { machine } = await heldRecord(file);
    writeFileSync(file, JSON.stringify({ ...record, machine, pid: NO_PROCESS }));
    const lock = await DatabaseLock.acquire(file, process.pid);
    await lock.release();
  });

  it('takes over a damaged lock once it is old', async () => {
    writeFileSync(file, '');
    utimesSync(file, new Date(0), new Date(0));
    const lock = await DatabaseLock.acquire(file, process.pid);
    await lock.release();
  });

  it('does not remove the lock of another holder', async () => {
    const lock = await DatabaseLock.acquire(file, process.pid);
    writeFileSync(file, JSON.stringify({ ...record, token: 'other' }));
    await lock.release();
    expect(readFileSync(file, 'utf8')).toContain('other');
  });
});

async function heldRecord(file: string): Promise<LockRecord> {
  const lock = await DatabaseLock.acquire(file, process.pid);
  const held = parseLockRecord(readFileSync(file, 'utf8'));
  await lock.release();
  if (held === undefined) throw new Error('the lock holds no record');
  return held;
}
