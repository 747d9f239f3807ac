import { describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';

const HELPER = 'src/lib/shared.ts';
/** More than are evaluated in one go. */
const COUNT = 120;
const names = Array.from({ length: COUNT }, (_, index) => `many/r${index}`);
const fileOf = (name: string) => `src/api/${name}/route.ts`;

/** A route that only declares, as most do: nothing in it runs when it is evaluated. */
const route = (name: string) => `
import { shared } from '../../../lib/shared';
let calls = 0;
export const GET = async (req: any, res: any) => {
  const before = shared();
  if (req.query.wait) {
    (globalThis as any).isWaiting = true;
    await new Promise<void>((resolve) => { (globalThis as any).goOn = resolve; });
  }
  res.json({ name: '${name}', shared: before, after: shared(), calls: ++calls });
};
`;

const shop = useShop({
  files: {
    [HELPER]: `export const shared = () => 'v1';`,
    ...Object.fromEntries(names.map((name) => [fileOf(name), route(name)])),
    'src/api/middlewares.ts': `
import { shared } from '../lib/shared';
export default {
  routes: [
    {
      matcher: '/many/*',
      middlewares: [
        (_req: any, res: any, next: any) => { res.setHeader('x-shared', shared()); next(); },
      ],
    },
  ],
};
`,
    'src/api/latch/route.ts': `
export const GET = async (_: any, res: any) => res.json({ isWaiting: (globalThis as any).isWaiting ?? false });
export const POST = async (_: any, res: any) => { (globalThis as any).goOn(); res.json({}); };
`,
  },
});

const write = (version: string) => () =>
  shop.project.write(HELPER, `export const shared = () => '${version}';`);
const ask = async (name: string | undefined) => (await shop.dev.get(`/${name}`)).body;

describe('a helper that very many routes import', () => {
  test('is new for the first request, whichever route it is for, and for all of them', async () => {
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate(HELPER, write('v2'));
      // The helper and the middlewares as well.
      expect(update).toMatchObject({ result: 'reloaded', modules: COUNT + 2 });
      const { headers } = await shop.dev.get('/many/none');
      expect(headers.get('x-shared')).toBe('v2');
      expect(update).toHaveProperty(
        'resources',
        expect.arrayContaining([`route GET /${names[7]}`]),
      );
      for (const name of names.toReversed()) {
        expect(await ask(name)).toMatchObject({ name, shared: 'v2', calls: 1 });
      }
      // Evaluated once, not anew for each request.
      expect(await ask(names[3])).toMatchObject({ shared: 'v2', calls: 2 });
    });
  });

  test('that is saved again at once is the last version everywhere', async () => {
    const { pid } = await shop.stats();
    for (const version of ['v3', 'v4', 'v5']) {
      await shop.dev.nextUpdate(HELPER, write(version));
    }
    const shared = await Promise.all(names.map(ask));
    expect(shared).toEqual(names.map((name) => expect.objectContaining({ name, shared: 'v5' })));
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('lets a request that runs finish on the old code', async () => {
    await shop.dev.nextUpdate(HELPER, write('old'));
    const running = ask(`${names[0]}?wait=1`);
    await until(
      () => ask('latch'),
      (body) => (body as { isWaiting: boolean }).isWaiting,
    );
    await shop.dev.nextUpdate(HELPER, write('new'));
    expect(await ask(names[0])).toMatchObject({ shared: 'new' });
    await shop.dev.get('/latch', { method: 'POST' });
    expect(await running).toMatchObject({ shared: 'old', after: 'old' });
  });

  test('that throws is kept, also while the routes are not all evaluated yet', async () => {
    await shop.dev.nextUpdate(HELPER, write('good'));
    const update = await shop.dev.nextUpdate(HELPER, () =>
      shop.project.write(
        HELPER,
        `export const shared = () => 'bad'; throw new Error('not today');`,
      ),
    );
    expect(update).toMatchObject({ result: 'kept-previous', error: { message: 'not today' } });
    expect(await ask(names[1])).toMatchObject({ shared: 'good' });
    await shop.dev.nextUpdate(HELPER, write('mended'));
    expect(await ask(names[2])).toMatchObject({ shared: 'mended' });
    expect(await ask(names.at(-1))).toMatchObject({ shared: 'mended' });
  });

  test('can change together with one of the routes, and with the set of routes', async () => {
    const [first = '', second = ''] = names;
    await shop.dev.nextUpdate(HELPER, write('a'));
    const edited = fileOf(first);
    await shop.dev.nextUpdate(edited, () =>
      shop.project.edit(edited, (source) =>
        source.replace('shared: before', 'edited: true, shared: before'),
      ),
    );
    expect(await ask(first)).toMatchObject({ edited: true, shared: 'a' });
    await shop.dev.nextUpdate(HELPER, write('b'));
    const deleted = fileOf(second);
    await shop.dev.nextUpdate(deleted, () => shop.project.remove(deleted));
    expect((await shop.dev.get(`/${second}`)).status).toBe(404);
    expect(await ask(first)).toMatchObject({ edited: true, shared: 'b' });
    expect(await ask(names.at(-1))).toMatchObject({ shared: 'b' });
  });
});
