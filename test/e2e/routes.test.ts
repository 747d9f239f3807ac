import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { constantLoad } from './support/constant-load.ts';
import type { Answer } from './support/dev-server.ts';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const CATALOG = 'src/api/catalog/route.ts';
const MIDDLEWARES = 'src/api/middlewares.ts';

const shop = useShop({ hasAdmin: true });
let coreBefore: Awaited<ReturnType<typeof shop.core>>;

beforeAll(async () => {
  coreBefore = await shop.core();
});

/** The route with another answer. */
const ping = (answer: string) => (source: string) =>
  source.replace(/ping: '.*'/, `ping: '${answer}'`);

/** A route of a test's own. */
const route = (file: string, answer: string) => `
import { countEvaluation } from '@lib/evaluations';
export const GET = (_req: unknown, res: { json(body: unknown): void }) => res.json({ answer: '${answer}' });
countEvaluation('${file}');
`;

describe('an edit', () => {
  test('of a route is live', async () => {
    await shop.hot([PING], async () => {
      const update = await shop.dev.nextUpdate(PING, () => shop.project.edit(PING, ping('second')));
      expect(update).toMatchObject({ result: 'reloaded', files: [PING], modules: 1 });
      expect(update).toHaveProperty('resources', ['route GET /ping']);
      expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'second' });
    });
  });

  test('of a helper three imports away is live', async () => {
    const file = 'src/lib/words.ts';
    const evaluated = [
      file,
      'src/lib/salutation.ts',
      'src/lib/greeting.ts',
      'src/api/greeting/route.ts',
    ];
    await shop.hot(evaluated, async () => {
      const update = await shop.dev.nextUpdate(file, () =>
        shop.project.edit(file, (source) => source.replace('Hello', 'Good evening')),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [file] });
      await shop.answers('/greeting?name=ada', { greeting: 'Good evening, Ada!' });
    });
  });

  test('of a JSON file is live', async () => {
    const file = 'src/data/catalog.json';
    await shop.hot([CATALOG], async () => {
      const update = await shop.dev.nextUpdate(file, () =>
        shop.project.edit(file, (source) => source.replace('24', '100')),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [file] });
      await shop.answers('/catalog', { catalog: { title: 'Autumn', pages: 100 } });
    });
  });

  test('of the middlewares is live', async () => {
    await shop.hot([MIDDLEWARES], async () => {
      const update = await shop.dev.nextUpdate(MIDDLEWARES, () =>
        shop.project.edit(MIDDLEWARES, (source) => source.replace("'v1'", "'version 2'")),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [MIDDLEWARES] });
      expect((await shop.dev.get('/ping')).headers.get('x-shop')).toBe('version 2');
    });
  });

  test('of the error handler, which the middlewares import, is live', async () => {
    const file = 'src/api/error-handler.ts';
    await shop.hot([file, MIDDLEWARES], async () => {
      await shop.dev.nextUpdate(file, () =>
        shop.project.edit(file, (source) => source.replace("'shop'", "'the shop'")),
      );
      const { status, body } = await shop.dev.get('/refund');
      expect(status).toBe(403);
      expect(body).toMatchObject({ handled_by: 'the shop' });
    });
  });

  test('of the number of parameters of the error handler is live, and it is called once', async () => {
    const original = shop.project.read(MIDDLEWARES);
    const handler = (head: string, body: string) =>
      `export default { routes: [], errorHandler: (${head}) => { ${body} } };\n`;
    const handled = 'res.status(418).json({ by: "the handler" });';
    const save = (source: string) =>
      shop.dev.nextUpdate(MIDDLEWARES, () => shop.project.write(MIDDLEWARES, source));
    const refund = () => shop.dev.get('/refund');
    await shop.hot([], async () => {
      // To Express, that is no handler of errors.
      await save(handler('err: any, req: any, res: any', handled));
      expect((await refund()).status).not.toBe(418);
      await save(handler('err: any, req: any, res: any, next: any', handled));
      expect((await refund()).body).toEqual({ by: 'the handler' });
      const counting = 'res.append("x-calls", "once"); next(err);';
      await save(handler('err: any, req: any, res: any, next: any', counting));
      expect((await refund()).headers.get('x-calls')).toBe('once');
    });
    await save(original);
  });

  test('of a validator is live', async () => {
    const file = 'src/api/validators.ts';
    const announce = () =>
      shop.dev.get('/announce', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ brand_id: 'ab' }),
      });
    expect((await announce()).status).toBe(202);
    const update = await shop.dev.nextUpdate(file, () =>
      shop.project.edit(file, (source) =>
        source.replace('brand_id: z.string().min(1)', 'brand_id: z.string().min(10)'),
      ),
    );
    expect(update.result).toBe('reloaded');
    expect((await announce()).status).toBe(400);
  });

  test('that adds a method to a route is live', async () => {
    await shop.hot([PING], async () => {
      const update = await shop.dev.nextUpdate(PING, () =>
        shop.project.edit(PING, (source) => `${source}\nexport const PUT = GET;\n`),
      );
      expect(update.result).toBe('reloaded');
      expect((await shop.dev.get('/ping', { method: 'PUT' })).body).toEqual({ ping: 'pong' });
    });
    await shop.dev.nextUpdate(PING, () =>
      shop.project.edit(PING, (source) => source.replace('export const PUT = GET;\n', '')),
    );
    expect((await shop.dev.get('/ping', { method: 'PUT' })).status).toBe(404);
  });

  test('of the flags of a route is live', async () => {
    const file = 'src/api/admin/status/route.ts';
    await shop.hot([file], async () => {
      await shop.dev.nextUpdate(file, () =>
        shop.project.edit(file, (source) =>
          source.replace('export const AUTHENTICATE = false;', ''),
        ),
      );
      expect((await shop.dev.get('/admin/status')).status).toBe(401);
    });
  });

  test('in the way of an editor, which renames a temporary file, is live', async () => {
    await shop.hot([PING], async () => {
      const update = await shop.dev.nextUpdate(PING, () =>
        shop.project.saveLikeAnEditor(PING, ping('renamed over')),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [PING] });
      expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'renamed over' });
    });
  });

  test('that changes nothing is ignored', async () => {
    const file = 'src/api/env/route.ts';
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate(file, () =>
        shop.project.write(file, shop.project.read(file)),
      );
      expect(update).toMatchObject({ result: 'ignored', files: [file] });
    });
  });

  test('of a file that the app has not loaded is ignored', async () => {
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate('README.md', () =>
        shop.project.edit('README.md', (source) => `${source}\nMore.\n`),
      );
      expect(update).toMatchObject({ result: 'ignored', files: ['README.md'] });
    });
  });
});

describe('route files', () => {
  test('that are added answer', async () => {
    const file = 'src/api/fresh/[id]/route.ts';
    await shop.hot([file], async () => {
      expect((await shop.dev.get('/fresh/1')).status).toBe(404);
      const update = await shop.dev.nextUpdate(file, () =>
        shop.project.write(file, route(file, 'fresh')),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [file] });
      expect((await shop.dev.get('/fresh/1')).body).toEqual({ answer: 'fresh' });
    });
  });

  test('that are renamed answer at their new place only', async () => {
    const to = 'src/api/pong/route.ts';
    // Its body is the same, and so is the name that it counts under.
    await shop.hot([PING], async () => {
      const mark = shop.dev.mark();
      shop.project.rename(PING, to);
      const [gone, come] = await Promise.all([
        shop.dev.updateSince(mark, PING),
        shop.dev.updateSince(mark, to),
      ]);
      expect([gone.result, come.result]).toEqual(['reloaded', 'reloaded']);
      expect((await shop.dev.get('/pong')).body).toEqual({ ping: 'pong' });
      expect((await shop.dev.get('/ping')).status).toBe(404);
    });
  });

  test('that are deleted are gone, and answer again when they are back', async () => {
    const source = shop.project.read(CATALOG);
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate(CATALOG, () => shop.project.remove(CATALOG));
      expect(update).toMatchObject({ result: 'reloaded', files: [CATALOG] });
      expect((await shop.dev.get('/catalog')).status).toBe(404);
    });
    await shop.hot([CATALOG], async () => {
      await shop.dev.nextUpdate(CATALOG, () => shop.project.write(CATALOG, source));
      expect((await shop.dev.get('/catalog')).status).toBe(200);
    });
  });
});

describe('saves in quick succession', () => {
  test('10 ms apart: the last one wins', async () => {
    for (const round of [1, 2, 3, 4, 5]) {
      shop.project.edit(PING, ping(`${round}, soon to be replaced`));
      await delay(10);
      shop.project.edit(PING, ping(`last of ${round}`));
      await shop.answers('/ping', { ping: `last of ${round}` });
    }
  });

  test('of the same length 10 ms apart: the last one wins', async () => {
    const source = shop.project.read(PING);
    for (const round of [1, 2, 3, 4, 5]) {
      shop.project.write(PING, ping(`a${round}`)(source));
      await delay(10);
      shop.project.write(PING, ping(`b${round}`)(source));
      await shop.answers('/ping', { ping: `b${round}` });
    }
  });

  test('during a reload: the last one wins', async () => {
    const began = join(shop.project.root, 'reload-began');
    const slow = `
      require('node:fs').writeFileSync(${JSON.stringify(began)}, '');
      const end = Date.now() + 300;
      while (Date.now() < end);
    `;
    const before = await shop.stats();
    shop.project.edit(PING, (source) => ping('slow to load')(source) + slow);
    await until(() => existsSync(began), Boolean);
    shop.project.edit(PING, (source) => ping('last')(source).replace(slow, ''));
    await shop.answers('/ping', { ping: 'last' });
    expect((await shop.stats()).pid).toBe(before.pid);
  });

  test('20 under constant requests: none fails, and the last one wins', async () => {
    const before = await shop.stats();
    const mark = shop.dev.mark();
    const load = constantLoad(shop.dev.url('/ping'), { perSecond: 100 });
    for (let save = 1; save <= 20; save++) {
      shop.project.edit(PING, ping(`save ${'x'.repeat(save)}`));
      await delay(100);
    }
    await shop.answers('/ping', { ping: `save ${'x'.repeat(20)}` });
    const { failed, total } = await load.stop();
    expect(failed).toEqual([]);
    expect(total).toBeGreaterThan(20);

    const after = await shop.stats();
    expect(after.pid).toBe(before.pid);
    expect((after.evaluations[PING] ?? 0) - (before.evaluations[PING] ?? 0)).toBeLessThanOrEqual(
      20,
    );
    const results = shop.dev.updatesSince(mark, PING).map(({ result }) => result);
    expect(results.length).toBeLessThanOrEqual(20);
    // On a busy machine a reload has taken the next save along, which then changes nothing.
    expect(results.filter((result) => result !== 'ignored')).not.toEqual([]);
    expect(new Set([...results, 'ignored'])).toEqual(new Set(['reloaded', 'ignored']));
  });

  test('20 of the middlewares under constant requests: none fails, and the last one wins', async () => {
    const before = await shop.stats();
    const load = constantLoad(shop.dev.url('/ping'), { perSecond: 100 });
    for (let save = 1; save <= 20; save++) {
      shop.project.edit(MIDDLEWARES, (source) =>
        source.replace(/'x-shop', '.*'/, `'x-shop', '${'v'.repeat(save + 2)}'`),
      );
      await delay(100);
    }
    await until(
      async () => (await shop.dev.get('/ping')).headers.get('x-shop'),
      (version) => version === 'v'.repeat(22),
    );
    expect((await load.stop()).failed).toEqual([]);
    expect((await shop.stats()).pid).toBe(before.pid);
  });
});

describe('a broken save', () => {
  const mendedPing = {
    path: '/ping',
    mend: ping('mended'),
    read: ({ body }: Answer) => body,
    expected: { ping: 'mended' } as unknown,
  };
  const cases = [
    {
      ...mendedPing,
      name: 'that does not parse',
      file: PING,
      break: (source: string) => source.replace("{ ping: 'pong' })", '{ ping: }'),
      position: { line: 5, column: 20 },
      text: 'res.json({ ping: }',
    },
    {
      ...mendedPing,
      name: 'that throws',
      file: PING,
      break: (source: string) => `${source}\nthrow new Error('not today');\n`,
      position: { line: 10, column: 7 },
      text: "throw new Error('not today');",
    },
    {
      ...mendedPing,
      name: 'that imports a file that is not there',
      file: PING,
      break: (source: string) => `import './missing';\n${source}`,
      position: { line: 1, column: 8 },
      text: "import './missing';",
    },
    {
      name: 'of a helper',
      file: 'src/lib/words.ts',
      path: '/greeting',
      break: (source: string) => source.replace('words = {', 'words = {{'),
      position: { line: 3, column: 23 },
      text: 'export const words = {{',
      mend: (source: string) => source.replace('Hello', 'Mended'),
      read: ({ body }: Answer) => body,
      expected: { greeting: 'Mended, World!' },
    },
    {
      name: 'of a JSON file',
      file: 'src/data/catalog.json',
      path: '/catalog',
      break: (source: string) => source.replace('24', 'twenty-four'),
      position: { line: 3 },
      text: '"pages": twenty-four',
      mend: (source: string) => source.replace('24', '2400'),
      read: ({ body }: Answer) => body,
      expected: { catalog: { title: 'Autumn', pages: 2400 } },
    },
    {
      name: 'of the middlewares',
      file: MIDDLEWARES,
      path: '/ping',
      break: (source: string) => source.replace('export default', 'export default nothing;'),
      position: { line: 12, column: 16 },
      text: 'export default nothing;',
      mend: (source: string) => source.replace("'v1'", "'mended'"),
      read: ({ headers }: Answer) => headers.get('x-shop'),
      expected: 'mended',
    },
  ];

  test.each(cases)(
    '$name keeps the previous version, and the next good one is live',
    async (broken) => {
      const { file, path, position, text, read } = broken;
      const source = shop.project.read(file);
      const { pid } = await shop.stats();
      const before = await shop.dev.get(path);
      const load = constantLoad(shop.dev.url(path), { perSecond: 50 });

      const kept = await shop.dev.nextUpdate(file, () => shop.project.edit(file, broken.break));
      expect(kept).toMatchObject({
        result: 'kept-previous',
        files: [file],
        error: { file, ...position },
      });
      expect(kept).toHaveProperty('error.frame', expect.stringContaining(text));
      expect(read(await shop.dev.get(path))).toEqual(read(before));

      const mended = await shop.dev.nextUpdate(file, () =>
        shop.project.write(file, broken.mend(source)),
      );
      expect(mended.result).toBe('reloaded');
      expect(read(await shop.dev.get(path))).toEqual(broken.expected);

      expect((await load.stop()).failed).toEqual([]);
      expect((await shop.stats()).pid).toBe(pid);
    },
  );
});

describe('a deleted file that a route imports', () => {
  const cases = [
    {
      file: 'src/lib/words.ts',
      importer: { file: 'src/lib/salutation.ts', line: 2 },
      path: '/greeting',
      edit: (source: string) => source.replace('Hello', 'Welcome back'),
      expected: { greeting: 'Welcome back, World!' },
    },
    {
      file: 'src/data/catalog.json',
      importer: { file: CATALOG, line: 3 },
      path: '/catalog',
      edit: (source: string) => source.replace('24', '2424'),
      expected: { catalog: { title: 'Autumn', pages: 2424 } },
    },
  ];

  test.each(cases)(
    '$file keeps the previous version, and is live again when it is back',
    async (gone) => {
      const { file, path } = gone;
      const source = shop.project.read(file);
      const before = await shop.dev.get(path);

      const update = await shop.dev.nextUpdate(file, () => shop.project.remove(file));
      expect(update).toMatchObject({
        result: 'kept-previous',
        files: [file],
        error: gone.importer,
      });
      expect((await shop.dev.get(path)).text).toBe(before.text);

      await shop.dev.nextUpdate(file, () => shop.project.write(file, source));
      expect((await shop.dev.get(path)).text).toBe(before.text);
      const edited = await shop.dev.nextUpdate(file, () => shop.project.edit(file, gone.edit));
      expect(edited.result).toBe('reloaded');
      expect((await shop.dev.get(path)).body).toEqual(gone.expected);
    },
  );
});

test('a file that was saved empty and then filled is live', async () => {
  const source = shop.project.read(PING);
  shop.project.write(PING, '');
  await delay(5);
  shop.project.write(PING, ping('filled')(source));
  await shop.answers('/ping', { ping: 'filled' });
});

test('every saved file ended in exactly one update', async () => {
  const mark = shop.dev.mark();
  const files = [PING, 'src/lib/words.ts', 'src/data/catalog.json', MIDDLEWARES, 'README.md'];
  for (const file of files) {
    await shop.dev.nextUpdate(file, () => shop.project.edit(file, (source) => `${source}\n\n`));
  }
  // Another save after all of them: what was to come of the earlier ones has come.
  await shop.dev.nextUpdate(CATALOG, () => shop.project.edit(CATALOG, (source) => `${source}\n\n`));
  const counts = files.map((file) => [file, shop.dev.updatesSince(mark, file).length]);
  expect(counts).toEqual(files.map((file) => [file, 1]));
});

test('the core answers as before the first edit', async () => {
  expect(await shop.core()).toEqual(coreBefore);
  expect(Object.values(coreBefore).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});
