import { expect, test } from 'vitest';
import { constantLoad } from './support/constant-load.ts';
import { useShop } from './support/shop.ts';
import { touch } from './support/touch.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const PER_SECOND = 100;
const RELOADS = 50;
/** The host lets connections wait for 30 s. */
const WAIT_MS = 35_000;

// It boots faster without the dashboard.
const shop = useShop({ env: { DISABLE_MEDUSA_ADMIN: 'true' } });

function setPing(answer: string): void {
  shop.project.write(PING, shop.project.read(PING).replace(/ping: '.*'/, `ping: '${answer}'`));
}

/** Saves, waits for the event, and asks once: that first answer has to be the new one. */
async function saveAndAsk(answer: string): Promise<string> {
  const { result } = await shop.dev.nextUpdate(PING, () => setPing(answer));
  expect((await shop.dev.get('/ping')).body).toEqual({ ping: answer });
  return result;
}

test(`${RELOADS} hot reloads fail no request`, async () => {
  const load = constantLoad(shop.dev.url('/ping'), { perSecond: PER_SECOND });
  try {
    for (let index = 0; index < RELOADS; index++) {
      expect(await saveAndAsk(`hot ${index}`)).toBe('reloaded');
    }
  } finally {
    const { failed, total } = await load.stop();
    expect(failed).toEqual([]);
    expect(total).toBeGreaterThan(RELOADS);
  }
}, 120_000);

test('who asks right after a save, before any event, gets the new code', async () => {
  for (let index = 0; index < 10; index++) {
    const mark = shop.dev.mark();
    setPing(`early ${index}`);
    await until(
      () => shop.dev.get('/ping'),
      ({ body }) => (body as { ping: string }).ping === `early ${index}`,
    );
    await shop.dev.updateSince(mark, PING);
  }
}, 60_000);

test('restarts for the config and `.env` fail no request', async () => {
  const load = constantLoad(shop.dev.url('/ping'), { perSecond: PER_SECOND, waitMs: WAIT_MS });
  try {
    for (let index = 0; index < 2; index++) {
      const config = await shop.dev.nextUpdate('medusa-config.ts', () =>
        shop.project.edit('medusa-config.ts', touch),
      );
      expect(config.result).toBe('restarted');
      expect(await saveAndAsk(`after config ${index}`)).toBe('reloaded');
      const env = await shop.dev.nextUpdate('.env', () =>
        shop.project.write('.env', `SHOP_ROUND=${index}\n`),
      );
      expect(env.result).toBe('restarted');
      expect((await shop.dev.get('/env?key=SHOP_ROUND')).body).toMatchObject({
        value: String(index),
      });
    }
  } finally {
    expect((await load.stop()).failed).toEqual([]);
  }
}, 180_000);

test('a killed app fails no request but those that it was handling', async () => {
  const load = constantLoad(shop.dev.url('/ping'), { perSecond: PER_SECOND, waitMs: WAIT_MS });
  let failed: string[];
  try {
    const { pid } = await shop.stats();
    const mark = shop.dev.mark();
    process.kill(pid, 'SIGKILL');
    await shop.dev.eventSince(mark, 'ready');
    expect(await saveAndAsk('after the crash')).toBe('reloaded');
  } finally {
    ({ failed } = await load.stop());
  }
  // What a killed process has read cannot be given to another one. The host says so, nothing is reset.
  for (const failure of failed) {
    expect(failure).toMatch(/^status 503/);
  }
  expect(failed.length).toBeLessThan(10);
}, 120_000);
