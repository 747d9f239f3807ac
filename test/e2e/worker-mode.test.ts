import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SHOP } from './support/repository.ts';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const JOB = 'src/jobs/tick.ts';

const shop = useShop({
  hasApi: false,
  files: {
    'medusa-config.ts': readFileSync(join(SHOP, 'medusa-config.ts'), 'utf8').replace(
      'databaseUrl:',
      "workerMode: 'worker',\n    databaseUrl:",
    ),
    [JOB]: `
import { mkdirSync, writeFileSync } from 'node:fs';
export default async () => {
  mkdirSync('static', { recursive: true });
  writeFileSync('static/tick', 'one');
};
export const config = { name: 'tick', schedule: { interval: 100 } };
`,
  },
});

// Caused by a route that could not be reloaded where Medusa had loaded none, and was part of every later save.
test('an app that has no API takes saves of routes, and its jobs reload', async () => {
  const ticked = join(shop.project.root, 'static/tick');
  await until(() => existsSync(ticked), Boolean);
  const route = await shop.dev.nextUpdate(PING, () =>
    shop.project.edit(PING, (source) => source.replace('pong', 'for nobody')),
  );
  expect(route.result).toBe('reloaded');
  const job = await shop.dev.nextUpdate(JOB, () =>
    shop.project.edit(JOB, (source) => source.replace("'one'", "'second'")),
  );
  expect(job).toMatchObject({ result: 'reloaded', resources: ['job tick'] });
  await until(
    () => readFileSync(ticked, 'utf8'),
    (text) => text === 'second',
  );
  expect((await shop.dev.get('/health')).status).toBe(200);
  expect(shop.dev.events.filter(({ event }) => event === 'ready')).toHaveLength(1);
});
