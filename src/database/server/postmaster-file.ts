import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a running PostgreSQL says of itself in `postmaster.pid`, in its data directory. */
export interface PostmasterFile {
  readonly pid: number;
  readonly isReady: boolean;
}

// The eighth line (LOCK_FILE_LINE_PM_STATUS in PostgreSQL's miscadmin.h), since version 10.
const STATUS_LINE = 7;

export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  try {
    return parsePostmasterFile(await readFile(join(data, 'postmaster.pid'), 'utf8'));
  } catch {
    return undefined;
  }
}

export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split(/\r?\n/);
  // A negative number is a standalone backend (`postgres --single`), which holds the data as well.
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  return Number.isSafeInteger(pid) && pid > 0
    ? { pid, isReady: lines[STATUS_LINE]?.trim() === 'ready' }
    : undefined;
}
