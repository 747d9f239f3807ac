import { isPortTaken, isRunning } from './processes.ts';
import { until } from './until.ts';

/** Nothing of ours is left 6 s after its end, however it came about; a busy machine takes longer. */
export const END_LIMIT_MS = 15_000;

/** Enough for a second look where the processes took all of their time. */
const PORT_LIMIT_MS = 1_000;

/** Waits until none of the processes runs and the port is free. */
export async function allEnd(
  pids: number[],
  port: number,
  limitMs: number = END_LIMIT_MS,
): Promise<void> {
  const startedAt = performance.now();
  await until(
    () => pids.filter(isRunning),
    (left) => left.length === 0,
    limitMs,
  );
  // One that counts as ended may have threads that still let go of what it had open.
  await until(
    () => isPortTaken(port),
    (isTaken) => !isTaken,
    Math.max(limitMs - (performance.now() - startedAt), PORT_LIMIT_MS),
  );
}
