import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** An editor fills a file within a millisecond of emptying it, on a busy machine within some more. */
const FILL_LIMIT_MS = 2_000;
const POLL_MS = 5;

/** Resolves when the file is not empty, is gone, or stays empty until the limit. */
export async function untilFilled(file: string): Promise<void> {
  const deadline = performance.now() + FILL_LIMIT_MS;
  while (performance.now() < deadline && (await isEmpty(file))) {
    await delay(POLL_MS);
  }
}

async function isEmpty(file: string): Promise<boolean> {
  const status = await stat(file).catch(() => undefined);
  return status?.size === 0;
}
