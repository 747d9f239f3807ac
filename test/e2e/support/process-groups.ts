import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** Ids of the running groups, so that an interrupted run leaves none behind. */
const groups = new Set<number>();
process.once('exit', () => {
  for (const pid of groups) {
    signalGroup(pid, 'SIGKILL');
  }
});

/** Makes the group end with this process at the latest. */
export function trackGroup(pid: number): void {
  groups.add(pid);
}

export function forgetGroup(pid: number): void {
  groups.delete(pid);
}

/** @returns whether the group had any process; signal 0 only asks */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Every process of a command is gone in this time, however the command ended. */
const GROUP_WAIT_MS = 6_000;

/** @returns the command lines of the group's processes that outlive the wait */
export async function survivorsOf(group: number): Promise<string[]> {
  const deadline = performance.now() + GROUP_WAIT_MS;
  for (;;) {
    // The signal costs nothing, so it comes first; it counts zombies as well, which `membersOf` leaves out.
    const survivors = signalGroup(group, 0) ? membersOf(group) : [];
    if (survivors.length === 0 || performance.now() > deadline) {
      return survivors;
    }
    await delay(20);
  }
}

function membersOf(group: number): string[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pgid=,stat=,args='], { encoding: 'utf8' });
  return rows.split('\n').flatMap((row) => {
    const [, id, state = '', command = ''] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(row) ?? [];
    return Number(id) === group && !/^[ZX]/.test(state) ? [command] : [];
  });
}
