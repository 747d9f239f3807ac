/** Ids of the groups that run, so that an interrupted run leaves none behind. */
const groups = new Set<number>();
process.once('exit', () => {
  for (const pid of groups) {
    signalGroup(pid, 'SIGKILL');
  }
});

/** From now on the group ends with this process at the latest. */
export function trackGroup(pid: number): void {
  groups.add(pid);
}

export function forgetGroup(pid: number): void {
  groups.delete(pid);
}

/** @returns whether anything of the group was there; signal 0 only asks */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
