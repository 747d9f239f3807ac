import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useShop } from './support/shop.ts';

const PING = 'src/api/ping/route.ts';

const shop = useShop({
  env: { SHOP_SHELL: 'from the shell' },
  // Read by Medusa in other modes only, or never.
  files: {
    '.env.development': 'SHOP_MODE=development\n',
    '.env.local': 'SHOP_MODE=local\n',
    '.env.test': 'SHOP_MODE=test\n',
  },
});

async function value(key: string): Promise<unknown> {
  const { body } = await shop.dev.get(`/env?key=${key}`);
  return (body as { value: unknown }).value;
}

/** Writes `.env`, and proves that one restart, of the app only, brought it. */
async function saveEnv(source: string | undefined): Promise<void> {
  const pidBefore = (await shop.stats()).pid;
  const mark = shop.dev.mark();
  const change = existsSync(join(shop.project.root, '.env')) ? 'changed' : 'was added';
  const update = await shop.dev.nextUpdate('.env', () =>
    source === undefined ? shop.project.remove('.env') : shop.project.write('.env', source),
  );
  const reason = `.env ${source === undefined ? 'was deleted' : change}`;
  expect(update).toMatchObject({ result: 'restarted', files: ['.env'], reason });
  expect((await shop.stats()).pid).not.toBe(pidBefore);
  expect(shop.dev.updatesSince(mark)).toHaveLength(1);
}

test('every change of `.env` is seen after one restart', async () => {
  expect(await value('SHOP_ONE')).toBe(null);
  expect(await value('SHOP_MODE')).toBe(null);

  await saveEnv('SHOP_ONE=1\nSHOP_TWO="two words"\nSHOP_SHELL=from .env\n');
  expect(await value('SHOP_ONE')).toBe('1');
  expect(await value('SHOP_TWO')).toBe('two words');
  // The shell goes first, as for `medusa develop`.
  expect(await value('SHOP_SHELL')).toBe('from the shell');

  await saveEnv('SHOP_ONE=a new value\nSHOP_THREE=3\nMEDUSA_FF_BACKEND_HMR=false\n');
  expect(await value('SHOP_ONE')).toBe('a new value');
  expect(await value('SHOP_TWO')).toBe(null);
  expect(await value('SHOP_THREE')).toBe('3');
  // The shell says that backend HMR is on (`useShop`), and that holds against `.env` too.
  const update = await shop.dev.nextUpdate(PING, () =>
    shop.project.edit(PING, (source) => source.replace('pong', 'hot')),
  );
  expect(update.result).toBe('reloaded');

  await saveEnv(undefined);
  expect(await value('SHOP_ONE')).toBe(null);
  expect(await value('SHOP_THREE')).toBe(null);
  expect(await value('SHOP_SHELL')).toBe('from the shell');
}, 180_000);
