import { isPortTaken, isRunning } from './processes.ts';
import { until } from './until.ts';

/** No process of ours is left 6 s after the end, whatever caused it; a busy machine takes longer. */
export const END_LIMIT_MS = 15_000;

/** Enough for a second look if the processes used up their time. */
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
  // A process that counts as ended may have threads that still release its open files.
  await until(
    () => isPortTaken(port),
    (isTaken) => !isTaken,
    Math.max(limitMs - (performance.now() - startedAt), PORT_LIMIT_MS),
  );
}
