import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isProcessAlive } from '../server/process-identity.ts';

/** Who holds the lock: the content of the lock file. */
export interface LockRecord {
  /** The guardian. */
  readonly pid: number;
  readonly hostPid: number;
  /** Process numbers mean something on this machine (and in this container) only. */
  readonly machine: string;
  readonly token: string;
}

/**
 * `held`: the host runs. `closing`: the host is gone, and its guardian is stopping PostgreSQL.
 * `unknown`: another machine holds it, whose processes we cannot see; or the file is not written yet.
 */
export type LockState = 'held' | 'closing' | 'unknown' | 'stale';

/** Five missed beats: the event loop of a guardian is idle, so one that is alive misses none. */
const STALE_AFTER_MS = 5000;

export function stateOf(
  record: LockRecord | undefined,
  { machine, ageMs }: { machine: string; ageMs: number },
): LockState {
  if (Math.abs(ageMs) >= STALE_AFTER_MS) {
    return 'stale';
  }
  if (record === undefined || record.machine !== machine) {
    return 'unknown';
  }
  if (!isProcessAlive(record.pid)) {
    return 'stale';
  }
  return isProcessAlive(record.hostPid) ? 'held' : 'closing';
}

export function parseLockRecord(text: string): LockRecord | undefined {
  let value: Partial<Record<keyof LockRecord, unknown>> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { pid, hostPid, machine, token } = value ?? {};
  return Number.isSafeInteger(pid) &&
    Number.isSafeInteger(hostPid) &&
    typeof machine === 'string' &&
    typeof token === 'string'
    ? { pid: Number(pid), hostPid: Number(hostPid), machine, token }
    : undefined;
}

export function machineName(): string {
  try {
    // Containers may share a host name, but never a namespace of processes.
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
