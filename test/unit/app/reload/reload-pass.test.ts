import { afterEach, describe, expect, it, vi } from 'vitest';
import { RestartNeeded } from '../../../../src/app/reloaders/resource-reloader.ts';
import { lines, project, ROOT, takeLines } from '../support/memory-app.ts';
import type { Files } from '../support/memory-host.ts';
import { recordingRegistry, recordingReloader } from '../support/recorders.ts';

const A = 'src/api/a/route.ts';
const B = 'src/api/b/route.ts';
const WORD = 'src/lib/word.ts';
const FLOW = 'src/workflows/flow.ts';
const route = (code = '') =>
  `import { word } from '../../lib/word'; ${code} export const GET = () => word;`;

/** Two routes on one helper, and a workflow; all three are loaded. */
async function shop(options: Parameters<typeof project>[1] = {}) {
  const app = await project(
    { [A]: route(), [B]: route(), [WORD]: `export const word = 'old';`, [FLOW]: `export {}` },
    {
      reloaders: [
        recordingReloader('routes'),
        recordingReloader('workflows', { isRegistering: true }),
      ],
      ...options,
    },
  );
  for (const path of [A, B, FLOW]) {
    await app.load(path);
  }
  app.takeEvaluated();
  const wordOf = (path: string) => (app.exportsOf(path) as { GET(): string }).GET();
  return Object.assign(app, { wordOf });
}

describe('a reload', () => {
  it('evaluates the modules that are out of date, prepares, commits, and disposes in the reverse order', async () => {
    const app = await shop({
      reloaders: [
        recordingReloader('workflows', { isRegistering: true }),
        recordingReloader('routes'),
      ],
      registries: [recordingRegistry()],
    });
    const outcome = await app.save({
      [WORD]: `log('word'); export const word = 'new';`,
      [FLOW]: `log('flow')`,
    });
    expect(takeLines()).toEqual([
      `registry begin ${WORD} ${A} ${B} ${FLOW}`,
      'registry enter',
      'flow',
      'word',
      'registry leave',
      `workflows prepare update ${FLOW}`,
      `routes prepare update ${A}`,
      `routes prepare update ${B}`,
      'registry commit',
      'workflows commit',
      'routes commit',
      'routes dispose',
      'workflows dispose',
    ]);
    expect(outcome).toMatchObject({ type: 'reloaded', resources: [FLOW, A, B], modules: 4 });
    expect(app.wordOf(A)).toBe('new');
    expect(app.takeEvaluated()).toEqual([FLOW, WORD, A, B]);
  });

  it('lets nothing happen between one commit and the next', async () => {
    const chance = () => ({
      commit: () => void Promise.resolve().then(() => lines.push('chance')),
    });
    await (
      await shop({
        reloaders: [
          recordingReloader('routes', { prepare: async () => chance() }),
          recordingReloader('workflows', { isRegistering: true }),
        ],
        registries: [recordingRegistry()],
      })
    ).save({ [A]: route('1;'), [FLOW]: `1;` });
    const after = takeLines();
    expect(after.indexOf('chance')).toBeGreaterThan(after.indexOf('workflows commit'));
  });

  it('names each resource once, also those that registries report', async () => {
    const routes = recordingReloader('routes', {
      prepare: async () => ({ resources: ['one', 'two'] }),
    });
    const app = await shop({
      reloaders: [routes],
      registries: [recordingRegistry(['two', 'three'])],
    });
    expect(await app.save({ [A]: route('1;') })).toMatchObject({
      resources: ['one', 'two', 'three'],
    });
  });

  it('shows reloaders both versions of each module that is out of date', async () => {
    const seen: unknown[] = [];
    const routes = recordingReloader('routes', {
      prepare: async (_files, { modules }) => {
        for (const { path, exports, previous } of modules) {
          seen.push([path, exports?.word, previous?.word]);
        }
      },
    });
    const app = await shop({ reloaders: [routes] });
    await app.save({ [WORD]: `export const word = 'new';`, 'src/api/new/route.ts': `export {}` });
    expect(seen).toEqual([
      [WORD, 'new', 'old'],
      [A, undefined, undefined],
      [B, undefined, undefined],
    ]);
  });

  it('evaluates no module again whose imports have stayed the same', async () => {
    const app = await shop({ registries: [recordingRegistry()] });
    const outcome = await app.save({ [WORD]: `log('word'); export const word = 'old';` });
    expect(app.takeEvaluated()).toEqual([WORD]);
    expect(outcome).toMatchObject({ type: 'reloaded', resources: [], modules: 1 });
    expect(takeLines()).toEqual([
      `registry begin ${WORD} ${A} ${B}`,
      'registry enter',
      'word',
      `registry keep ${A}`,
      `registry keep ${B}`,
      'registry leave',
      'registry commit',
    ]);
  });

  it('evaluates files of a lazy reloader when the reloader imports them, and not before', async () => {
    const seen: unknown[] = [];
    const routes = recordingReloader('routes', {
      isLazy: true,
      prepare: async (files, { importFile }) => {
        const before = app.takeEvaluated();
        seen.push(before, Object.keys(await importFile(files[0]?.file ?? '')));
      },
    });
    const app = await shop({ reloaders: [routes] });
    await app.save({ 'src/api/new/route.ts': `export const GET = 1;` });
    expect(seen).toEqual([[], ['GET']]);
    expect(app.takeEvaluated()).toEqual(['src/api/new/route.ts']);
  });

  it('leaves a file alone that its reloader does not accept and that is not loaded', async () => {
    const routes = recordingReloader('routes', { accepts: (file) => !file.endsWith('/route.ts') });
    const app = await shop({ reloaders: [routes] });
    await app.save({ 'src/api/new/route.ts': `export {}`, [A]: route('1;') });
    expect(takeLines()).toEqual([`routes prepare update ${A}`, 'routes commit', 'routes dispose']);
    expect(app.takeEvaluated()).toEqual([A]);
  });

  it('evaluates a module that only a loaded module outside all resources imports', async () => {
    const app = await project({
      'src/a.ts': `import './b'; if (import.meta.hot) import.meta.hot.accept('./b');`,
      'src/b.ts': `import './c';`,
      'src/c.ts': ``,
    });
    await app.load('src/a.ts');
    app.takeEvaluated();
    expect(await app.save({ 'src/c.ts': `log('c');` })).toMatchObject({
      type: 'reloaded',
      modules: 2,
    });
    expect(app.takeEvaluated()).toEqual(['src/c.ts', 'src/b.ts']);
  });

  it('emits events to the old modules before it is live, and to the new ones after', async () => {
    const listening = (version: number) =>
      route(`
        for (const event of ['vite:beforeUpdate', 'vite:afterUpdate', 'medusa-vite:update', 'vite:error']) {
          import.meta.hot.on(event, ({ type, updates, err }) =>
            log(event, ${version}, type, updates ? updates.map(({ path }) => path).join() : err.message));
        }`);
    const app = await shop({ reloaders: [recordingReloader('routes')] });
    await app.save({ [A]: listening(1) });
    takeLines();
    await app.save({ [A]: listening(2) });
    expect(takeLines()).toEqual([
      `routes prepare update ${A}`,
      `vite:beforeUpdate 1 update ${ROOT}/${A}`,
      'routes commit',
      'routes dispose',
      `vite:afterUpdate 2 update ${ROOT}/${A}`,
      `medusa-vite:update 2 update ${ROOT}/${A}`,
    ]);
    await app.save({ [WORD]: `throw new Error('oops');` });
    expect(takeLines()).toEqual(['vite:error 2 error oops']);
  });
});

describe('a file that was deleted', () => {
  it('is not evaluated, and its code does not live on', async () => {
    const app = await shop();
    expect(await app.save({}, { deleted: [A] })).toMatchObject({ type: 'reloaded', modules: 0 });
    expect(takeLines()).toContain(`routes prepare delete ${A}`);
    expect(app.exportsOf(A)).toBeUndefined();
    await expect(app.load(A)).rejects.toThrow('could not be loaded');
  });

  it('keeps the previous version of its importers until it is back', async () => {
    const app = await shop();
    expect(await app.save({}, { deleted: [WORD] })).toMatchObject({
      type: 'kept-previous',
      error: { message: expect.stringContaining('lib/word') },
    });
    expect(app.wordOf(A)).toBe('old');
    await app.save({ [WORD]: `export const word = 'back';` });
    expect(app.wordOf(A)).toBe('back');
  });
});

describe('a module that throws', () => {
  it('takes the whole batch back, and is named', async () => {
    const app = await shop({
      reloaders: [
        recordingReloader('workflows', { isRegistering: true }),
        recordingReloader('routes'),
      ],
      registries: [recordingRegistry()],
    });
    const outcome = await app.save({ [FLOW]: `log('flow')`, [WORD]: `throw new Error('oops')` });
    expect(outcome).toMatchObject({
      type: 'kept-previous',
      error: { message: 'oops' },
      module: `${ROOT}/${A}`,
    });
    expect(takeLines().slice(1)).toEqual([
      'registry enter',
      'flow',
      'registry leave',
      'registry rollback',
    ]);
    expect([app.wordOf(A), app.wordOf(B)]).toEqual(['old', 'old']);
  });

  it('is part of the next batch, together with the rest of its own', async () => {
    const app = await shop();
    await app.save({ [WORD]: `throw new Error('oops');`, [A]: route(`export const a = 2;`) });
    expect(app.exportsOf(A)).not.toHaveProperty('a');
    expect(await app.save({ [WORD]: `export const word = 'mended';` })).toMatchObject({
      type: 'reloaded',
    });
    expect(app.exportsOf(A)).toHaveProperty('a');
    expect(app.wordOf(A)).toBe('mended');
  });

  it('does not undo an earlier batch', async () => {
    const app = await shop();
    await app.save({ [WORD]: `export const word = 'new';` });
    await app.save({ [A]: route(`throw new Error('oops');`) });
    expect([app.wordOf(A), app.wordOf(B)]).toEqual(['new', 'new']);
  });
});

describe('a reloader', () => {
  it('that cannot prepare makes those before it roll back, the last first', async () => {
    const app = await shop({
      reloaders: [
        recordingReloader('routes'),
        recordingReloader('workflows', { isRegistering: true }),
        recordingReloader('jobs', {
          prepare: () => {
            throw new Error('bad schedule');
          },
        }),
      ],
    });
    const outcome = await app.save({ [A]: route('1;'), [FLOW]: '1;', 'src/jobs/j.ts': '' });
    expect(outcome).toMatchObject({ type: 'kept-previous', error: { message: 'bad schedule' } });
    // The module was evaluated, so it is not at fault.
    expect(outcome).not.toHaveProperty('module');
    expect(takeLines().slice(-2)).toEqual(['workflows rollback', 'routes rollback']);
    expect(app.exportsOf('src/jobs/j.ts')).toBeUndefined();
  });

  it('that needs a restart gets one, and everything is as before until then', async () => {
    const routes = recordingReloader('routes', {
      prepare: () => {
        throw new RestartNeeded({ type: 'asked-by-reloader', text: 'another shape' });
      },
    });
    const app = await shop({ reloaders: [routes], registries: [recordingRegistry()] });
    expect(await app.save({ [WORD]: `export const word = 'new';` })).toEqual({
      type: 'restart-needed',
      reason: { type: 'asked-by-reloader', text: 'another shape' },
    });
    expect(takeLines()).toContain('registry rollback');
    expect(app.wordOf(A)).toBe('old');
  });

  it('that fails to commit needs a restart: a part of the batch is live by then', async () => {
    const routes = recordingReloader('routes', {
      prepare: async () => ({
        commit: () => {
          throw new Error('half a router');
        },
      }),
    });
    expect(await (await shop({ reloaders: [routes] })).save({ [A]: route('1;') })).toEqual({
      type: 'restart-needed',
      reason: { type: 'commit-failed', message: 'half a router' },
    });
  });

  it('that cannot clean up is reported, and the new version serves all the same', async () => {
    const failing = recordingReloader('workflows', {
      prepare: async () => ({ dispose: () => Promise.reject(new Error('still open')) }),
    });
    const app = await shop({ reloaders: [recordingReloader('routes'), failing] });
    expect(await app.save({ [A]: route('1;'), [FLOW]: '1;' })).toMatchObject({ type: 'reloaded' });
    expect(app.errors).toMatchObject([{ message: 'still open' }]);
    expect(takeLines()).toContain('routes dispose');
  });

  it('may have nothing to roll back and nothing to clean up', async () => {
    const bare = { name: 'routes', prepare: async () => ({ resources: [], commit() {} }) };
    const app = await shop({
      reloaders: [bare, recordingReloader('workflows', { isRegistering: true })],
    });
    expect(await app.save({ [A]: route('1;') })).toMatchObject({ type: 'reloaded' });
  });
});

describe('`defineFileConfig`', () => {
  const disabled = (code = '') => route(`defineFileConfig({ isDisabled: () => true }); ${code}`);
  const isDisabled = (app: Awaited<ReturnType<typeof shop>>) =>
    app.fileConfigs.isDisabled(`${ROOT}/${A}`);

  it('is forgotten with the line that called it', async () => {
    const app = await shop();
    await app.save({ [A]: disabled() });
    expect(isDisabled(app)).toBe(true);
    await app.save({ [A]: route() });
    expect(isDisabled(app)).toBe(false);
  });

  it('stays if the file was not evaluated again', async () => {
    const app = await shop();
    await app.save({ [A]: disabled() });
    await app.save({ [WORD]: `1; export const word = 'old';` });
    expect(app.takeEvaluated()).toEqual([A, WORD]);
    expect(isDisabled(app)).toBe(true);
  });

  it.each([
    ['on', disabled(), route(`throw new Error('oops');`), true],
    ['off', route('1;'), disabled(`throw new Error('oops');`), false],
  ])('stays %s if the next version throws', async (_what, first, second, expected) => {
    const app = await shop();
    await app.save({ [A]: first });
    await app.save({ [A]: second });
    expect(isDisabled(app)).toBe(expected);
  });

  it('stays if the batch restarts the app instead', async () => {
    const app = await shop();
    await app.save({ [A]: disabled(), [FLOW]: `await 1;` });
    await app.save({ [A]: disabled() }, { deleted: [FLOW] });
    await app.save({ [FLOW]: 'log(1);' });
    await app.save({ [A]: route(), [FLOW]: `await 1;` });
    expect(isDisabled(app)).toBe(true);
  });
});

describe('a top-level await', () => {
  it('is waited for, and the registries do not show the new version meanwhile', async () => {
    const app = await shop({
      reloaders: [recordingReloader('routes')],
      registries: [recordingRegistry()],
    });
    const saved = await app.save({
      [WORD]: `log('begins'); await Promise.resolve(); log('ends'); export const word = 'late';`,
    });
    expect(saved).toMatchObject({ type: 'reloaded', modules: 3 });
    expect(takeLines().slice(1, 7)).toEqual([
      'registry enter',
      'registry leave',
      'begins',
      'ends',
      'registry enter',
      'registry leave',
    ]);
    expect(app.wordOf(A)).toBe('late');
  });

  it('of a module that throws after it keeps the previous version', async () => {
    const app = await shop();
    const saved = await app.save({
      [WORD]: `await 1; throw new Error('late'); export const word = 1;`,
    });
    expect(saved).toMatchObject({ type: 'kept-previous', error: { message: 'late' } });
    expect(app.wordOf(A)).toBe('old');
  });

  it('of a file that a reloader imports is waited for', async () => {
    const seen: unknown[] = [];
    const routes = recordingReloader('routes', {
      isLazy: true,
      prepare: async (_files, { importFile }) => {
        seen.push((await importFile(`${ROOT}/${WORD}`)).word);
      },
    });
    const app = await shop({ reloaders: [routes] });
    await app.save({ [WORD]: `await 1; export const word = 'late';` });
    expect(seen).toEqual(['late']);
  });

  it.each([
    ['comes with the save', 'log(1);', 'await 1;'],
    ['was there before', 'await 1;', 'log(1);'],
  ])('of a file that registers restarts the app if it %s', async (_when, before, after) => {
    const app = await project(
      { [FLOW]: before, [A]: `export const GET = 'old';` },
      {
        reloaders: [
          recordingReloader('workflows', { isRegistering: true }),
          recordingReloader('routes'),
        ],
      },
    );
    await app.load(FLOW);
    await app.load(A);
    expect(await app.save({ [FLOW]: after, [A]: `export const GET = 'new';` })).toEqual({
      type: 'restart-needed',
      reason: { type: 'registers-asynchronously', path: FLOW },
    });
    expect(app.exportsOf(A)).toMatchObject({ GET: 'old' });
  });
});

describe('a module that only a restart evaluates again', () => {
  const CONFIG = 'medusa-config.ts';
  const LIB = 'src/lib/settings.ts';

  async function guarded(config: string, files: Files) {
    const app = await project({ [CONFIG]: config, ...files });
    await app.load(CONFIG);
    return app;
  }
  const reason = (path = LIB) => ({
    type: 'restart-needed',
    reason: { type: 'import-changed', path, importer: CONFIG, rule: 'config' },
  });

  it('goes on if its named imports are the same', async () => {
    const app = await guarded(
      `import { port } from './src/lib/settings'; export default { port };`,
      {
        [LIB]: `export const port = { http: [1] }; export const other = 1;`,
      },
    );
    const saved = `export const port = { http: [1] }; export const other = 2;`;
    expect(await app.save({ [LIB]: saved })).toMatchObject({ type: 'reloaded' });
    expect(app.takeEvaluated()).toEqual([LIB, CONFIG, LIB]);
    const next = `export const port = { http: [1, 2] }; export const other = 2;`;
    expect(await app.save({ [LIB]: next })).toEqual(reason());
    expect(app.exportsOf(LIB)).toMatchObject({ port: { http: [1] } });
  });

  it.each([
    ['all of its exports', `import * as all from './src/lib/settings'; export default all;`],
    ['them by `require`', `exports.all = require('./src/lib/settings');`],
    [
      'them by a computed `import()`',
      `const at = './src/lib/settings'; export const all = import(at);`,
    ],
  ])('restarts if it imports %s, and any of it differs', async (_what, config) => {
    const app = await guarded(config, { [LIB]: `export const a = 1, b = [1];` });
    await (app.exportsOf(CONFIG) as { all?: Promise<unknown> }).all;
    expect(await app.save({ [LIB]: `export const b = [1], a = 1;` })).toMatchObject({
      type: 'reloaded',
    });
    expect(await app.save({ [LIB]: `export const a = 1, b = [1], c = 1;` })).toEqual(reason());
    expect(await app.save({ [LIB]: `export const a = 1;` })).toEqual(reason());
  });

  it('compares JSON as a whole', async () => {
    const path = 'src/lib/settings.json';
    const app = await guarded(
      `import settings from './src/lib/settings.json'; export default settings;`,
      {
        [path]: `{ "port": 1 }`,
      },
    );
    expect(await app.save({ [path]: `{  "port": 1 }` })).toMatchObject({ type: 'reloaded' });
    expect(await app.save({ [path]: `{ "port": 2 }` })).toEqual(reason(path));
  });

  it('restarts if its import is gone', async () => {
    const app = await guarded(`import './src/lib/settings';`, { [LIB]: `` });
    expect(await app.save({}, { deleted: [LIB] })).toEqual(reason());
  });
});

describe('routes that nothing else imports', () => {
  const paths = (count: number) =>
    Array.from({ length: count }, (_, n) => `src/api/r${n}/route.ts`);

  afterEach(() => {
    vi.useRealTimers();
  });

  async function manyRoutes(count: number) {
    // Nothing is evaluated by itself between two batches.
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const defer = recordingReloader('routes', {
      isDeferring: true,
      prepare: async (files, context) => ({
        commit: () => {
          for (const { file } of files.filter((one) => context.isDeferred(one.file))) {
            context.defer(file, () => {});
          }
        },
      }),
    });
    const source = `import { words } from '../../lib/word'; export const GET = () => words;`;
    const files = Object.fromEntries(paths(count).map((path) => [path, source]));
    const app = await project(
      { ...files, [WORD]: `export const words = [1];` },
      { reloaders: [defer] },
    );
    for (const path of Object.keys(files)) {
      await app.load(path);
    }
    app.takeEvaluated();
    return app;
  }

  it('are evaluated after the reload if they are many, and only declare', async () => {
    const app = await manyRoutes(40);
    const saved = await app.save({ [WORD]: `export const words = [2];` });
    // Modules that are left for later count as well.
    expect(saved).toMatchObject({ type: 'reloaded', modules: 41 });
    expect(app.takeEvaluated()).toEqual([WORD]);
    expect(paths(40).every((path) => app.deferred.has(`${ROOT}/${path}`))).toBe(true);
    await app.deferred.evaluate(`${ROOT}/${paths(40)[7]}`);
    expect(app.takeEvaluated()).toEqual([paths(40)[7]]);
  });

  it('are evaluated by the reload if they are few', async () => {
    const app = await manyRoutes(39);
    await app.save({ [WORD]: `export const words = [2];` });
    expect(app.takeEvaluated()).toHaveLength(40);
  });

  it('are evaluated before the next reload if it has new code for them, and left for later again if not', async () => {
    const app = await manyRoutes(41);
    await app.save({ [WORD]: `export const words = [2];` });
    app.takeEvaluated();
    const [first = ''] = paths(1);
    await app.save({ [first]: `log('first'); export const GET = 1;` });
    expect(app.takeEvaluated()).toEqual([first, first]);
    await app.save({ [WORD]: `export const words = [3];` });
    expect(app.takeEvaluated()).toEqual([WORD]);
  });

  it('wait for a reload that fails, too', async () => {
    const app = await manyRoutes(40);
    await app.save({ [WORD]: `export const words = [2];` });
    await app.save({ 'src/api/new/route.ts': `throw new Error('oops')` });
    expect(await app.deferred.evaluate(`${ROOT}/${paths(1)[0]}`)).toHaveProperty('GET');
  });
});
