import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

/** Below the limit of a test (120 s), so that the error shows the last value; a slow restart takes 20 s. */
export const UNTIL_WAIT_MS = 60_000;
const POLL_MS = 15;

/** Thrown by `read` when no later value can be accepted. */
export class GiveUp extends Error {}

/** Reads until the value is accepted; an error of `read` counts as a value, except `GiveUp`. */
export async function until<T>(
  read: () => T | Promise<T>,
  accepts: (value: T) => boolean,
  limitMs: number = UNTIL_WAIT_MS,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await read();
      if (accepts(value)) {
        return value;
      }
      last = value;
    } catch (error) {
      if (error instanceof GiveUp) {
        throw error;
      }
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Not so within ${limitMs} ms; the last value was ${inspect(last)}`);
    }
    await delay(POLL_MS);
  }
}
