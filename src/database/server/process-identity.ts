import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { hasCode } from '../../shared/failure.ts';

/**
 * `gone`: no such process, or only a zombie of it. `other`: the process is alive, but is no PostgreSQL on this
 * data. Numbers are given out again, and a container does so at every start.
 */
export type PostmasterIdentity = 'ours' | 'gone' | 'other';

const PS_WAIT_MS = 5000;

/** Decides before any signal is sent: a process that is not our PostgreSQL is never touched. */
export function identifyPostmaster(pid: number, data: string): PostmasterIdentity {
  if (!isProcessAlive(pid)) {
    return 'gone';
  }
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
    return hasCode(error, 'EPERM');
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
    // PostgreSQL makes its data directory its working directory.
    const at = statSync(`/proc/${pid}/cwd`);
    const expected = statSync(data);
    const isSame = at.dev === expected.dev && at.ino === expected.ino;
    return isSame && /\/postgres(?: \(deleted\))?$/.test(program) ? 'ours' : 'other';
  } catch {
    // Another user's process cannot be read. The owner of the data is the user that runs its PostgreSQL.
    return isProcessAlive(pid) ? 'other' : 'gone';
  }
}

function identifyByCommand(pid: number, data: string): PostmasterIdentity {
  const ps = spawnSync('ps', ['-ww', '-o', 'stat=,command=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: PS_WAIT_MS,
  });
  const line = ps.stdout.trim();
  if (line === '' || line.startsWith('Z')) {
    return 'gone';
  }
  return line.includes('postgres') && line.includes(data) ? 'ours' : 'other';
}
