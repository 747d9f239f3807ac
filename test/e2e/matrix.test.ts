import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MEDUSA_VERSION } from './support/other-medusa.ts';
import { VITE_VERSION } from './support/other-vite.ts';
import { useShop } from './support/shop.ts';
import { PROBE, witnessOf } from './support/witness.ts';

/** One check of each kind, on each Vite and Medusa that is supported. */

const PING = 'src/api/ping/route.ts';

const shop = useShop({
  files: {
    ...PROBE,
    'src/lib/matrix.ts': "export const greeting = 'hello';\n",
    'src/api/matrix/route.ts': `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { greeting } from '@lib/matrix';
export const GET = (_: MedusaRequest, res: MedusaResponse) => { res.json({ greeting }); };
`,
    'src/api/matrix/emit/route.ts': `
export async function POST(req: any, res: any) {
  await req.scope.resolve('event_bus').emit({ name: 'matrix.happened', data: {} });
  res.json({});
}
`,
    'src/api/matrix/service/route.ts': `
export async function GET(req: any, res: any) {
  const service = req.scope.resolve('brand');
  const types = Reflect.getMetadata('design:paramtypes', service, 'matrix') ?? [];
  res.json({ matrix: service.matrix?.(), types: types.map((type: any) => type.name) });
}
`,
  },
});
const witness = witnessOf(shop);

function installed(name: string): string {
  const require = createRequire(join(shop.project.root, 'package.json'));
  return (require(`${name}/package.json`) as { version: string }).version;
}

test('this is the Vite and the Medusa that are asked for', () => {
  expect(installed('vite').startsWith(`${VITE_VERSION ?? '8'}.`)).toBe(true);
  expect(installed('vite-node').startsWith(VITE_VERSION === '7.3' ? '5.3.' : '6.')).toBe(true);
  if (MEDUSA_VERSION) {
    expect(installed('@medusajs/medusa')).toBe(MEDUSA_VERSION);
  }
});

async function reloads(file: string, change: (source: string) => string): Promise<void> {
  const update = await shop.dev.nextUpdate(file, () => shop.project.edit(file, change));
  expect(update).toMatchObject({ result: 'reloaded' });
}

test('a route', async () => {
  await reloads(PING, (source) => source.replace('pong', 'hot'));
  await shop.answers('/ping', { ping: 'hot' });
});

test('a helper that is imported by an alias of `tsconfig.json`', async () => {
  await shop.answers('/matrix', { greeting: 'hello' });
  await reloads('src/lib/matrix.ts', (source) => source.replace('hello', 'good evening'));
  await shop.answers('/matrix', { greeting: 'good evening' });
});

test('a route that is new', async () => {
  const update = await shop.dev.nextUpdate('src/api/matrix/new/route.ts', () =>
    shop.project.write(
      'src/api/matrix/new/route.ts',
      'export const GET = (_: unknown, res: { json(body: unknown): void }) => res.json({ is: "new" });\n',
    ),
  );
  expect(update).toMatchObject({ result: 'reloaded' });
  await shop.answers('/matrix/new', { is: 'new' });
});

test('JSON', async () => {
  const file = 'src/data/catalog.json';
  const before = (await shop.dev.get('/catalog')).text;
  await reloads(file, (source) =>
    source.replace(/"(\w)(\w+)",?$/m, (text) => text.replace(/\w/, 'ZZ')),
  );
  expect((await shop.dev.get('/catalog')).text).not.toBe(before);
});

test('a step of a workflow', async () => {
  await reloads('src/workflows/make-slogan/steps/praise.ts', (source) =>
    source.replace('is good', 'is much better'),
  );
  await shop.answers('/slogan', {
    direct: { slogan: '“Acme” is much better.' },
    engine: { slogan: '“Acme” is much better.' },
  });
});

test('a job', async () => {
  const file = 'src/jobs/count-brands.ts';
  await reloads(file, (source) => source.replace("version: 'v1'", "version: 'second'"));
  const entries = await witness.recorded(await witness.now(), file);
  expect(entries[0]?.version).toBe('second');
});

test('a subscriber', async () => {
  const file = 'src/subscribers/matrix.ts';
  const source = (version: string) => `
import { record } from '@lib/journal';
export default async function onMatrix() {
  record({ by: '${file}', version: '${version}', note: '' });
}
export const config = { event: 'matrix.happened' };
`;
  await shop.dev.nextUpdate(file, () => shop.project.write(file, source('v1')));
  const update = await shop.dev.nextUpdate(file, () => shop.project.write(file, source('second')));
  expect(update).toMatchObject({ result: 'reloaded' });
  const seq = await witness.now();
  await witness.post('/matrix/emit', {});
  const entries = await witness.recorded(seq, file);
  expect(entries.map(({ version }) => version)).toEqual(['second']);
});

test("a module's service, whose decorators need metadata", async () => {
  await reloads('src/modules/brand/service.ts', (source) =>
    source.replace(
      'describe(name',
      `@((_: object, __: string) => {}) matrix(_date: Date): string { return 'new'; }

  describe(name`,
    ),
  );
  await shop.answers('/matrix/service', {
    matrix: 'new',
    types: ['Date'],
  });
});

test('a typo keeps the previous version, says where it is, and is mended', async () => {
  const broken = await shop.dev.nextUpdate(PING, () =>
    shop.project.edit(PING, (source) => `${source}\nexport const = 2;\n`),
  );
  const line = shop.project.read(PING).split('\n').length - 1;
  // One compiler points at the sign, the other behind it.
  expect(broken).toMatchObject({
    result: 'kept-previous',
    error: {
      file: PING,
      line,
      column: expect.toSatisfy((column) => column === 14 || column === 15),
    },
  });
  await shop.answers('/ping', { ping: 'pong' });
  const mended = await shop.dev.nextUpdate(PING, () =>
    shop.project.edit(PING, (source) =>
      source.replace('export const = 2;', '').replace('pong', 'mended'),
    ),
  );
  expect(mended.result).toBe('reloaded');
  await shop.answers('/ping', { ping: 'mended' });
});

test('`.env` restarts, with the new values', async () => {
  const update = await shop.dev.nextUpdate('.env', () =>
    shop.project.write('.env', 'SHOP_ONE=1\n'),
  );
  expect(update).toMatchObject({ result: 'restarted' });
  await shop.answers('/env?key=SHOP_ONE', { key: 'SHOP_ONE', value: '1' });
});
