import { describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';

const shop = useShop();

const ROUTE = 'src/api/hot/route.ts';
const HELPER = 'src/lib/hot-helper.ts';

const get = async (path = '/hot') => (await shop.dev.get(path)).body;
const save = (file: string, source: string) =>
  shop.dev.nextUpdate(file, () => shop.project.write(file, source));
const answering = (expression: string, head = '') => `${head}
export const GET = (_req: unknown, res: { json(body: unknown): void }) => res.json(${expression});
`;

describe('import.meta.hot', () => {
  test('hands `data` on, and disposes of the old version after the new one serves, in reverse order', async () => {
    const source = (version: number) => `
const hot = import.meta.hot!;
const log: string[] = ((globalThis as any).hotLog ??= []);
hot.data.versions = [...(hot.data.versions ?? []), ${version}];
hot.dispose(() => { log.push('first ${version}'); });
hot.dispose(async () => { await null; log.push('second ${version}'); });
export const answer = () => ({ versions: hot.data.versions, log });
`;
    await save(HELPER, source(1));
    await save(ROUTE, answering('answer()', `import { answer } from '../../lib/hot-helper';`));
    expect(await get()).toEqual({ versions: [1], log: [] });

    expect(await save(HELPER, source(20))).toMatchObject({ result: 'reloaded' });

    expect(await get()).toEqual({ versions: [1, 20], log: ['second 1', 'first 1'] });

    const broken = await save(HELPER, `${source(300)}\nthrow new Error('no');`);
    expect(broken).toMatchObject({ result: 'kept-previous' });
    expect(await get()).toHaveProperty('log', ['second 1', 'first 1']);
  });

  test('is `module.hot` as well, for what compiles to CommonJS', async () => {
    const source = (version: number) => `
const log: string[] = ((globalThis as any).moduleHotLog ??= []);
module.hot?.dispose(() => { log.push('disposed ${version}'); });
export const answer = () => ({ log, isSame: module.hot === import.meta.hot });
`;
    await save(HELPER, source(1));
    await save(ROUTE, answering('answer()', `import { answer } from '../../lib/hot-helper';`));
    await save(HELPER, source(20));
    expect(await get()).toEqual({ log: ['disposed 1'], isSame: true });
  });

  test('lets a module accept its own update: who imports it is not evaluated again', async () => {
    const source = (version: number) => `
(globalThis as any).acceptedVersion = ${version};
import.meta.hot!.accept((next: any) => { (globalThis as any).accepted = next.version; });
export const version = ${version};
`;
    const head = `
import '../../lib/hot-helper';
const evaluations = ((globalThis as any).routeEvaluations = ((globalThis as any).routeEvaluations ?? 0) + 1);
`;
    const body = '[evaluations, (globalThis as any).acceptedVersion, (globalThis as any).accepted]';
    await save(HELPER, source(1));
    await save(ROUTE, answering(body, head));

    expect(await save(HELPER, source(20))).toMatchObject({ result: 'reloaded', modules: 1 });

    expect(await get()).toEqual([1, 20, 20]);
  });

  test('lets an importer accept the update of a dependency', async () => {
    const route = answering(
      'state',
      `
import { version } from '../../lib/hot-helper';
const state = ((globalThis as any).dependencyState = { version, accepted: 0 });
import.meta.hot!.accept('../../lib/hot-helper', (next: any) => { state.accepted = next.version; });
`,
    );
    await save(HELPER, 'export const version = 1;');
    await save(ROUTE, route);

    const update = await save(HELPER, 'export const version = 20;');

    expect(update).toMatchObject({ result: 'reloaded', modules: 1 });
    expect(await get()).toEqual({ version: 1, accepted: 20 });
  });

  test('lets a module give an update back to who imports it', async () => {
    const source = (version: number) => `
import.meta.hot!.accept(() => { import.meta.hot!.invalidate(); });
export const version = ${version};
`;
    await save(HELPER, source(1));
    await save(ROUTE, answering('version', `import { version } from '../../lib/hot-helper';`));

    await save(HELPER, source(20));

    await shop.answers('/hot', 20);
  });

  test('prunes a module that is no longer imported', async () => {
    await save(
      HELPER,
      `
import.meta.hot!.prune(() => { (globalThis as any).pruned = true; });
import.meta.hot!.dispose(() => { (globalThis as any).disposed = true; });
`,
    );
    const body = '[(globalThis as any).pruned ?? false, (globalThis as any).disposed ?? false]';
    await save(ROUTE, answering(body, `import '../../lib/hot-helper';`));
    expect(await get()).toEqual([false, false]);

    await save(ROUTE, answering(body));

    await shop.answers('/hot', [true, true]);
    expect(await save(HELPER, 'export {};\n')).toMatchObject({
      result: 'ignored',
      reason: 'not loaded by the app',
    });
  });

  test('tells of updates', async () => {
    await save(HELPER, 'export const value = 1;');
    await save(
      ROUTE,
      answering(
        '(globalThis as any).seen',
        `
import { value } from '../../lib/hot-helper';
void value;
const seen: string[] = ((globalThis as any).seen ??= []);
import.meta.hot!.on('vite:beforeUpdate', () => { seen.push('before'); });
import.meta.hot!.on('vite:afterUpdate', () => { seen.push('after'); });
import.meta.hot!.on('vite:error', () => { seen.push('error'); });
`,
      ),
    );

    await save(HELPER, 'export const value = 20;');
    await save(HELPER, 'export const value = 300; throw new Error();');

    // The first is of the update that brought the route itself.
    await shop.answers('/hot', ['after', 'before', 'after', 'error']);
  });

  test('runs disposers before a restart', async () => {
    const log = 'disposed.log';
    await save(
      ROUTE,
      answering(
        'process.pid',
        `
import { writeFileSync } from 'node:fs';
import.meta.hot!.dispose(() => { writeFileSync('${log}', String(process.pid)); });
`,
      ),
    );
    const pid = await get();

    await shop.dev.nextUpdate('medusa-config.ts', () =>
      shop.project.edit('medusa-config.ts', (source) => `${source}\nexport const extra = 1;\n`),
    );

    expect(shop.project.read(log)).toBe(String(pid));
    shop.project.remove(log);
  });

  test('runs all disposers before a restart, those of importers first, and waits for each', async () => {
    const log = 'order.log';
    const disposing = (name: string) => `
import { appendFileSync } from 'node:fs';
import.meta.hot!.dispose(async () => {
  appendFileSync('${log}', '${name} begins, ');
  await new Promise((resolve) => setTimeout(resolve, 50));
  appendFileSync('${log}', '${name} ends, ');
});
`;
    await save(HELPER, `${disposing('helper')}export const answer = 1;\n`);
    await save(
      ROUTE,
      answering('answer', `import { answer } from '../../lib/hot-helper';${disposing('route')}`),
    );
    await shop.dev.nextUpdate('.env', () => shop.project.write('.env', 'DISPOSED=yes\n'));
    expect(shop.project.read(log)).toBe('route begins, route ends, helper begins, helper ends, ');
    shop.project.remove(log);
  });
});

describe('the module graph', () => {
  test('follows cycles, barrels and dynamic imports', async () => {
    await save('src/lib/cycle/a.ts', `import { b } from './b'; export const a = () => 'a' + b();`);
    await save('src/lib/cycle/b.ts', `import { a } from './a'; export const b = () => typeof a;`);
    await save('src/lib/cycle/index.ts', `export * from './a';`);
    await save('src/lib/cycle/lazy.ts', `export const lazy = 'one';`);
    await save(
      ROUTE,
      `
import { a } from '../../lib/cycle';
export const GET = async (_req: unknown, res: { json(body: unknown): void }) =>
  res.json([a(), (await import('../../lib/cycle/lazy')).lazy]);
`,
    );
    expect(await get()).toEqual(['afunction', 'one']);

    await save('src/lib/cycle/b.ts', `import { a } from './a'; export const b = () => 'b' + !!a;`);
    expect(await get()).toEqual(['abtrue', 'one']);
    await save('src/lib/cycle/lazy.ts', `export const lazy = 'twenty';`);
    expect(await get()).toEqual(['abtrue', 'twenty']);
  });

  test('has forgotten a barrel that was not imported for a while', async () => {
    const [own, barrel] = ['src/lib/left/own.ts', 'src/lib/left/index.ts'];
    await save('src/lib/left/other.ts', `export const other = 'one';`);
    await save(barrel, `export * from './own';\nexport * from './other';`);
    await save(own, `import { other } from './index'; export const own = () => other;`);
    await save(ROUTE, answering('own()', `import { own } from '../../lib/left/own';`));
    expect(await get()).toBe('one');

    await save(own, `export const own = () => 'alone';`);
    expect(await get()).toBe('alone');
    const update = await save(barrel, `export * from './own';\nexport const other = 'twenty';`);
    expect(update).toMatchObject({ result: 'ignored', reason: 'not loaded by the app' });
    await save(ROUTE, answering('other', `import { other } from '../../lib/left';`));

    expect(await get()).toBe('twenty');
  });

  test('follows `import.meta.glob` to files that come and go', async () => {
    await save('src/lib/globbed/one.ts', 'export default 1;');
    await save(
      ROUTE,
      answering(
        'Object.values(modules).map((module: any) => module.default)',
        `const modules = import.meta.glob('../../lib/globbed/*.ts', { eager: true });`,
      ),
    );
    expect(await get()).toEqual([1]);

    expect(await save('src/lib/globbed/two.ts', 'export default 22;')).toMatchObject({
      result: 'reloaded',
    });
    expect(await get()).toEqual([1, 22]);
    await shop.dev.nextUpdate('src/lib/globbed/one.ts', () =>
      shop.project.remove('src/lib/globbed/one.ts'),
    );
    await shop.answers('/hot', [22]);
  });

  test('sees a file that takes the place of another in an import without extension', async () => {
    await save('src/lib/place/index.ts', `export const place = 'index';`);
    await save(ROUTE, answering('place', `import { place } from '../../lib/place';`));
    expect(await get()).toEqual('index');

    await save('src/lib/place.ts', `export const place = 'file itself';`);

    await shop.answers('/hot', 'file itself');
  });

  test('follows `require()` of TypeScript, at the top level and in a handler', async () => {
    await save(HELPER, `export const value = 'one';`);
    await save(
      ROUTE,
      answering(
        `[atTop.value, require('../../lib/hot-helper').value]`,
        `const atTop = require('../../lib/hot-helper');`,
      ),
    );
    expect(await get()).toEqual(['one', 'one']);

    await save(HELPER, `export const value = 'twenty';`);

    expect(await get()).toEqual(['twenty', 'twenty']);
  });

  test('restarts for a file that Node has loaded natively', async () => {
    const native = 'src/lib/native.cjs';
    await save(native, `module.exports = 'one';`);
    await save(ROUTE, answering('value', `const value = require('../../lib/native.cjs');`));
    expect(await get()).toEqual('one');

    const update = await save(native, `module.exports = 'twenty';`);

    expect(update).toMatchObject({
      result: 'restarted',
      reason: `${native} changed, and Node has loaded it natively`,
    });
    expect(await get()).toEqual('twenty');
  });

  test('evaluates nothing for a save that changes no emitted code', async () => {
    const file = 'src/lib/words.ts';
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate(file, () =>
        shop.project.edit(file, (source) => `// A comment.\ntype Word = string;\n\n${source}`),
      );
      expect(update).toMatchObject({ result: 'ignored', reason: 'the emitted code is the same' });
    });
  });

  test('shows the lines of the sources in stack traces, also after a save of comments only', async () => {
    const thrower = `
export function where(): string {
  // Says where it is.
  const { stack } = new Error('here');
  return /hot-helper\\.ts:\\d+:\\d+/.exec(stack ?? '')?.[0] ?? 'nowhere';
}
`;
    await save(HELPER, thrower);
    await save(ROUTE, answering('where()', `import { where } from '../../lib/hot-helper';`));
    expect(await get()).toBe('hot-helper.ts:4:21');
    for (const [source, position] of [
      [`// One line.\n// Another.\n${thrower}`, 'hot-helper.ts:6:21'],
      [
        `/**\n * Words.\n */\n${thrower.replace('  // Says where it is.\n', '')}`,
        'hot-helper.ts:6:21',
      ],
      [thrower.replace('  const', '  // And why.\n\n  const'), 'hot-helper.ts:6:21'],
      [thrower.trimStart(), 'hot-helper.ts:3:21'],
    ] as const) {
      expect(await save(HELPER, source)).toMatchObject({ result: 'ignored' });
      expect(await get()).toBe(position);
    }
    const real = thrower.replace("'here'", "'over here'");
    expect(await save(HELPER, `// More.\n${real}`)).toMatchObject({ result: 'reloaded' });
    expect(await get()).toBe('hot-helper.ts:5:21');
  });
});
