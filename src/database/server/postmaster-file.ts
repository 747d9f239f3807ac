import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a running PostgreSQL says about itself in `postmaster.pid` inside its data directory. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number | undefined;
  readonly isReady: boolean;
}

/**
 * `gone`: no such process, or only a zombie of it. `other`: the process is alive, but it is not a
 * PostgreSQL on this data: its number was given out again, which a container does at every start.
 */
export type PostmasterIdentity = 'ours' | 'gone' | 'other';

// Lines of the file, from PostgreSQL's miscadmin.h (LOCK_FILE_LINE_*), the same since version 10.
const PORT_LINE = 3;
const STATUS_LINE = 7;
const PS_WAIT_MS = 5000;

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
  if (!Number.isSafeInteger(pid) || pid === 0) return undefined;
  const port = Number.parseInt(lines[PORT_LINE] ?? '', 10);
  return {
    pid,
    port: Number.isNaN(port) ? undefined : port,
    isReady: lines[STATUS_LINE]?.trim() === 'ready',
  };
}

/** Decides before any signal is sent: a process that is not our PostgreSQL is never touched. */
export function identifyPostmaster(pid: number, data: string): PostmasterIdentity {
  if (!isProcessAlive(pid)) return 'gone';
  switch (process.platform) {
    case 'linux':
      return identifyOnLinux(pid, data);
    case 'win32':
      // `pg_ctl` talks to the process through a pipe that only PostgreSQL opens.
      return 'ours';
    default:
      return identifyByCommand(pid, data);
  }
}

export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return process.platform !== 'linux' || !isZombie(pid);
}

/** In a container without an init process nobody collects a process whose parent was killed. */
function isZombie(pid: number): boolean {
  try {
    // The name stands in parentheses, and may hold parentheses itself.
    const state = /.*\)\s+(\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
    return state === 'Z' || state === 'X';
  } catch {
    return false;
  }
}

function identifyOnLinux(pid: number, data: string): PostmasterIdentity {
  try {
    const program = readlinkSync(`/proc/${pid}/exe`);
    // A PostgreSQL makes its data directory its working directory.
    const at = statSync(`/proc/${pid}/cwd`);
    const expected = statSync(data);
    const isSame = at.dev === expected.dev && at.ino === expected.ino;
    return isSame && /\/postgres(?: \(deleted\))?$/.test(program) ? 'ours' : 'other';
  } catch {
    // Not readable: another user's. The owner of the data is the user that runs its PostgreSQL.
    return isProcessAlive(pid) ? 'other' : 'gone';
  }
}

function identifyByCommand(pid: number, data: string): PostmasterIdentity {
  const ps = spawnSync('ps', ['-ww', '-o', 'stat=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: PS_WAIT_MS,
  });
  const line = ps.stdout.trim();
  if (line === '' || line.startsWith('Z')) return 'gone';
  return line.includes('postgres') && line.includes(data) ? 'ours' : 'other';
}
