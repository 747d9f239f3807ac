import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { constantLoad } from './support/constant-load.ts';
import { MEDUSA_VERSION } from './support/other-medusa.ts';
import { useShop } from './support/shop.ts';
import { touch } from './support/touch.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const PER_SECOND = 100;
const RELOADS = 50;
/** How Medusa ends and starts is shown by a few of each kind; that none of many fails, by the newest one. */
const RESTARTS = MEDUSA_VERSION ? 6 : 20;
/** The host lets connections wait for 30 s. */
const WAIT_MS = 35_000;

/** Unwatched. */
const COMPILING = '.medusa/compiling';

const shop = useShop({
  files: {
    'vite.config.ts': `
import { mkdirSync, writeFileSync } from 'node:fs';

export default {
  plugins: [
    {
      name: 'slow',
      async transform(code: string) {
        if (!code.includes('slow to compile')) return;
        mkdirSync('.medusa', { recursive: true });
        writeFileSync('${COMPILING}', '');
        await new Promise((resolve) => setTimeout(resolve, 250));
      },
    },
  ],
};
`,
  },
});

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
  const load = constantLoad(shop.dev.url('/ping'), {
    perSecond: PER_SECOND,
    maxUnderWay: Infinity,
  });
  try {
    for (let index = 0; index < RELOADS; index++) {
      expect(await saveAndAsk(`hot ${index}`)).toBe('reloaded');
    }
  } finally {
    const { failed, total } = await load.stop();
    expect(failed).toEqual([]);
    expect(total).toBeGreaterThan(RELOADS);
  }
});

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
});

test('a request that comes while a save is on its way waits for the new code', async () => {
  const mark = shop.dev.mark();
  setPing('slow to compile');
  await until(() => existsSync(join(shop.project.root, COMPILING)), Boolean);
  // The first answer, and no later one, has to be the new one.
  expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'slow to compile' });
  await shop.dev.updateSince(mark, PING);
});

/** Saves, restarts or kills, and waits until the next app serves. */
const restarts = {
  config: async () => {
    const update = await shop.dev.nextUpdate('medusa-config.ts', () =>
      shop.project.edit('medusa-config.ts', touch),
    );
    expect(update.result).toBe('restarted');
  },
  env: async (round: number) => {
    const update = await shop.dev.nextUpdate('.env', () =>
      shop.project.write('.env', `SHOP_ROUND=${round}\n`),
    );
    expect(update.result).toBe('restarted');
    expect((await shop.dev.get('/env?key=SHOP_ROUND')).body).toMatchObject({
      value: String(round),
    });
  },
  crash: async () => {
    const mark = shop.dev.mark();
    // Not by this process: what has just sent the app requests would end it before it can note them.
    await promisify(execFile)('kill', ['-KILL', String((await shop.stats()).pid)]);
    await shop.dev.eventSince(mark, 'ready');
  },
};
/** An app that crashes again and again is not restarted for ever, so most are of the other kinds. */
const CRASHES_AT = [3, 10, 17];

test(
  `${RESTARTS} restarts for the config, \`.env\` and a crash fail no request`,
  async () => {
    const load = constantLoad(shop.dev.url('/ping'), {
      perSecond: PER_SECOND,
      waitMs: WAIT_MS,
      maxUnderWay: Infinity,
    });
    try {
      for (let round = 0; round < RESTARTS; round++) {
        const kind = CRASHES_AT.includes(round) ? 'crash' : round % 2 === 0 ? 'config' : 'env';
        await restarts[kind](round);
        expect(await saveAndAsk(`after ${kind} ${round}`)).toBe('reloaded');
      }
    } finally {
      const { failed, total } = await load.stop();
      expect(failed).toEqual([]);
      expect(total).toBeGreaterThan(RESTARTS);
    }
  },
  RESTARTS * WAIT_MS,
);
