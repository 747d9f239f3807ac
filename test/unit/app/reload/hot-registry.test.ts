import { describe, expect, it } from 'vitest';
import { lines, MAIN, mainProject, ROOT, takeLines } from '../support/memory-app.ts';

const DEP = 'src/dep.ts';

const accepting = (code = '') => `${code}; import.meta.hot.accept();`;

describe('`hot.data`', () => {
  it('goes from one version to the next, with entries that are added after a reload', async () => {
    const count = accepting(
      `import.meta.hot.data.n = (import.meta.hot.data.n ?? 0) + 1; export const { data } = import.meta.hot; log(data.n)`,
    );
    const app = await mainProject({ [MAIN]: count });
    await app.save({ [MAIN]: `${count};` });
    (app.exportsOf(MAIN) as { data: { n: number } }).data.n = 10;
    await app.save({ [MAIN]: `${count};;` });
    expect(takeLines()).toEqual(['2', '11']);
  });

  it('outlives a reload that failed', async () => {
    const app = await mainProject({ [MAIN]: accepting(`import.meta.hot.data.n = 1`) });
    await app.save({ [MAIN]: accepting(`throw new Error(import.meta.hot.data.n)`) });
    await app.save({ [MAIN]: accepting(`log(import.meta.hot.data.n)`) });
    expect(takeLines()).toEqual(['1']);
  });

  it('is passed to disposers', async () => {
    const app = await mainProject({
      [MAIN]: accepting(`import.meta.hot.dispose((data) => { data.left = 'a socket' })`),
    });
    await app.save({
      [MAIN]: accepting(`export const read = () => import.meta.hot.data.left`),
    });
    expect((app.exportsOf(MAIN) as { read(): string }).read()).toBe('a socket');
  });

  it('is empty for a module that was gone in between', async () => {
    const app = await mainProject({
      [MAIN]: accepting(`import './dep'`),
      [DEP]: `log(import.meta.hot.data.n); import.meta.hot.data.n = 1`,
    });
    await app.save({ [MAIN]: accepting() });
    await app.save({ [MAIN]: accepting(`import './dep'`) });
    expect(takeLines()).toEqual(['undefined']);
  });
});

describe('disposers', () => {
  const disposing = (name: string, code = '') =>
    `${code}; for (const n of [1, 2]) import.meta.hot.dispose(() => log('${name}', n));`;

  it('run when the new version serves: importers first, and within a module the last one first', async () => {
    const app = await mainProject({
      [MAIN]: accepting(disposing('main', `import './dep'; log('main evaluated')`)),
      [DEP]: disposing('dep'),
    });
    const saved = await app.save({ [DEP]: `log('dep evaluated')` });
    expect(saved).toMatchObject({ type: 'reloaded' });
    expect(takeLines()).toEqual([
      'dep evaluated',
      'main evaluated',
      'main 2',
      'main 1',
      'dep 2',
      'dep 1',
    ]);
  });

  it('are waited for, one by one', async () => {
    const app = await mainProject({
      [MAIN]: accepting(
        `for (const n of [1, 2]) import.meta.hot.dispose(async () => { log('begins', n); await null; log('ends', n); })`,
      ),
    });
    await app.save({ [MAIN]: accepting() });
    expect(takeLines()).toEqual(['begins 2', 'ends 2', 'begins 1', 'ends 1']);
  });

  it('that throw are reported, and the others run', async () => {
    const app = await mainProject({
      [MAIN]: accepting(`
        import.meta.hot.dispose(() => log('first'));
        import.meta.hot.dispose(() => { throw new Error('sync') });
        import.meta.hot.dispose(async () => { throw new Error('async') });`),
    });
    expect(await app.save({ [MAIN]: accepting() })).toMatchObject({ type: 'reloaded' });
    expect(takeLines()).toEqual(['first']);
    expect(app.errors).toMatchObject([{ message: 'async' }, { message: 'sync' }]);
  });

  it('of the version that serves stay for later when a reload fails, and those of the failed one are forgotten', async () => {
    const app = await mainProject({ [MAIN]: accepting(disposing('old')) });
    await app.save({ [MAIN]: disposing('failed', `throw new Error('oops')`) });
    await app.save({
      [MAIN]: `import.meta.hot.dispose(() => log('failed')); throw new Error('oops')`,
    });
    expect(takeLines()).toEqual([]);
    await app.save({ [MAIN]: accepting() });
    expect(takeLines()).toEqual(['old 2', 'old 1']);
  });

  it('of a module that goes on as it was stay for later', async () => {
    const app = await mainProject({
      [MAIN]: accepting(disposing('main', `import { a } from './dep'; log(a)`)),
      [DEP]: `export const a = 1; import.meta.hot.dispose(() => log('dep'));`,
    });
    await app.save({ [DEP]: `export const a = 1; 1;` });
    expect(takeLines()).toEqual(['dep']);
    await app.hot.disposeAll();
    expect(takeLines()).toEqual(['main 2', 'main 1']);
  });

  it('all run when the app ends, importers first, and once', async () => {
    const app = await mainProject({
      [MAIN]: accepting(disposing('main', `import './dep'`)),
      [DEP]: `import.meta.hot.dispose(() => { throw new Error('oops') }); ${disposing('dep')}`,
    });
    await app.hot.disposeAll();
    await app.hot.disposeAll();
    expect(takeLines()).toEqual(['main 2', 'main 1', 'dep 2', 'dep 1']);
    expect(app.errors).toMatchObject([{ message: 'oops' }]);
  });
});

describe('`hot.accept`', () => {
  it('of the module itself gets the exports of the next version, and its importers go on as they were', async () => {
    const self = (n: number) =>
      `export let n = ${n}; import.meta.hot.accept((next) => log('accepted', ${n}, next.n));`;
    const app = await mainProject({ [MAIN]: `import './dep';`, [DEP]: self(1) });
    await app.save({ [DEP]: self(2) });
    expect(app.takeEvaluated()).toEqual([DEP]);
    expect(takeLines()).toEqual(['accepted 1 2']);
  });

  it('of a dependency gets its new exports, and the module goes on as it was', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import.meta.hot.accept('./dep', (next) => log(next.n));`,
      [DEP]: `export const n = 1;`,
    });
    await app.save({ [DEP]: `export const n = 2;` });
    expect(app.takeEvaluated()).toEqual([DEP]);
    expect(takeLines()).toEqual(['2']);
  });

  it('of a list gets a list, with undefined for each module that has not changed', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import './other';
        import.meta.hot.accept(['./dep', './other'], (list) => log(JSON.stringify(list)));`,
      [DEP]: `export const n = 1;`,
      'src/other.ts': ``,
    });
    await app.save({ [DEP]: `export const n = 2;` });
    expect(takeLines()).toEqual(['[{"n":2},null]']);
  });

  it('is not called if none of its dependencies has changed', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import './other'; import.meta.hot.accept('./other', () => log('other'));
        import.meta.hot.accept('./dep', () => log('dep'));`,
      [DEP]: ``,
      'src/other.ts': ``,
    });
    await app.save({ [DEP]: `1;` });
    expect(takeLines()).toEqual(['dep']);
  });

  it('needs no callback', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import.meta.hot.accept('./dep');`,
      [DEP]: ``,
    });
    expect(await app.save({ [DEP]: `1;` })).toMatchObject({ type: 'reloaded', modules: 1 });
    expect(app.errors).toEqual([]);
  });

  it('that throws is reported, and changes nothing', async () => {
    const app = await mainProject({
      [MAIN]: `import.meta.hot.accept(() => { throw new Error('oops') });`,
    });
    expect(await app.save({ [MAIN]: accepting() })).toMatchObject({ type: 'reloaded' });
    expect(app.errors).toMatchObject([{ message: 'oops' }]);
  });

  it('by exports works like that of the module itself, with or without a callback', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import './other';`,
      [DEP]: `export let n = 1; import.meta.hot.acceptExports(['n'], (next) => log(next.n));`,
      'src/other.ts': `import.meta.hot.acceptExports(['n']);`,
    });
    await app.save({ [DEP]: `export let n = 2;`, 'src/other.ts': '1;' });
    expect(app.takeEvaluated()).toEqual([DEP, 'src/other.ts']);
    expect(takeLines()).toEqual(['2']);
  });

  it('is reported to the host at once, and during a reload once that is live', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import.meta.hot.accept(['./dep', './missing']);`,
      [DEP]: accepting(),
    });
    expect(app.accepts).toEqual([
      [DEP, [DEP]],
      [MAIN, [DEP, './missing']],
    ]);
    app.accepts.splice(0);
    await app.save({ [DEP]: `import.meta.hot.accept(); throw new Error('oops')` });
    expect(app.accepts).toEqual([]);
    await app.save({ [DEP]: `1;` });
    // It accepts nothing any more.
    expect(app.accepts).toEqual([[DEP, []]]);
    await app.save({ [DEP]: `2;` });
    expect(app.takeEvaluated()).toEqual([DEP, DEP]);
  });
});

describe('a module that nothing imports any more', () => {
  it('is disposed of and then pruned, together with its imports', async () => {
    const leaving = (name: string, code = '') =>
      `${code}; import.meta.hot.dispose(() => log('${name} disposed'));
       import.meta.hot.prune(() => log('${name} pruned'));`;
    const app = await mainProject({
      [MAIN]: accepting(`import './dep'`),
      [DEP]: leaving('dep', `import './deeper'`),
      'src/deeper.ts': leaving('deeper'),
    });
    await app.save({ [MAIN]: accepting(`1`) });
    expect(takeLines()).toEqual(['dep disposed', 'dep pruned', 'deeper disposed', 'deeper pruned']);
    await app.hot.disposeAll();
    expect(takeLines()).toEqual([]);
    expect(app.exportsOf(DEP)).toBeUndefined();
  });

  it('is pruned by the reload if the plan lists it', async () => {
    const app = await mainProject({
      [MAIN]: accepting(`import './dep'`),
      [DEP]: `import.meta.hot.dispose(() => log('disposed')); import.meta.hot.prune(() => log('pruned'));`,
    });
    await app.save({ [MAIN]: accepting(`1`), [DEP]: '' });
    expect(takeLines()).toEqual(['disposed', 'pruned']);
  });

  it('does not accept its own update', async () => {
    const app = await mainProject({
      [MAIN]: accepting(`import './dep'`),
      [DEP]: `import.meta.hot.accept(() => log('accepted'));`,
    });
    await app.save({ [MAIN]: accepting(`1`) }, { deleted: [DEP] });
    expect(takeLines()).toEqual([]);
  });
});

describe('events', () => {
  const listening = (name: string, code = '') =>
    `${code}; import.meta.hot.on('custom', (word) => log('${name}', word));`;

  it('reach all modules that listen, with their payload', async () => {
    const app = await mainProject({
      [MAIN]: accepting(listening('main', `import './dep'`)),
      [DEP]: listening('dep'),
    });
    await app.hot.emit('custom', 'hello');
    await app.hot.emit('other', 'hello');
    expect(takeLines()).toEqual(['dep hello', 'main hello']);
  });

  it('do not reach a listener that was removed', async () => {
    const app = await mainProject({
      [MAIN]: `const say = () => log('on'); import.meta.hot.on('custom', say);
        import.meta.hot.off('custom', () => {}); import.meta.hot.off('unknown', say);
        export const off = () => import.meta.hot.off('custom', say);`,
    });
    await app.hot.emit('custom', undefined);
    (app.exportsOf(MAIN) as { off(): void }).off();
    await app.hot.emit('custom', undefined);
    expect(takeLines()).toEqual(['on']);
  });

  it('reach the version that serves while another is tried', async () => {
    const app = await mainProject({
      [MAIN]: accepting(listening('main')),
    });
    const id = `${ROOT}/${MAIN}`;
    app.hot.begin(new Set([id]));
    const next = app.hot.create(id) as { on(event: string, listener: () => void): void };
    next.on('custom', () => lines.push('next'));
    await app.hot.emit('custom', 'tried');
    expect(takeLines()).toEqual(['main tried']);
    app.hot.rollback();
    await app.hot.emit('custom', 'taken back');
    expect(takeLines()).toEqual(['main taken back']);
  });

  it('reach the other listeners when one throws, which is reported', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; ${listening('main')}`,
      [DEP]: `import.meta.hot.on('custom', () => { throw new Error('oops') });`,
    });
    await app.hot.emit('custom', 'hello');
    expect(takeLines()).toEqual(['main hello']);
    expect(app.errors).toMatchObject([{ message: 'oops' }]);
  });
});

describe('`hot.invalidate`', () => {
  it('asks the host to update the importers of the module, which are evaluated in any case', async () => {
    const app = await mainProject({
      [MAIN]: accepting(`import { n } from './dep'; log('main', n)`),
      [DEP]: `export const n = 1; import.meta.hot.accept(() => import.meta.hot.invalidate());`,
    });
    await app.save({ [DEP]: `export const n = 1; import.meta.hot.accept(); 1;` });
    expect([app.takeEvaluated(), app.invalidated]).toEqual([[DEP], [DEP]]);
    await app.save(
      { [DEP]: `export const n = 1; import.meta.hot.accept(); 1;` },
      { isForced: true },
    );
    expect(app.takeEvaluated()).toEqual([MAIN]);
  });
});

it('`decline` and `send` are there, and do nothing', async () => {
  const app = await mainProject({
    [MAIN]: accepting(`import.meta.hot.decline(); import.meta.hot.send('to', 'nobody')`),
  });
  expect(await app.save({ [MAIN]: accepting() })).toMatchObject({ type: 'reloaded' });
});

it('`module.hot` is the same for CommonJS modules', async () => {
  const app = await mainProject({
    'src/main.ts': `import './dep.js';`,
    'src/dep.js': `module.hot.accept(); module.hot.dispose(() => log('disposed')); exports.n = 1;`,
  });
  await app.save({ 'src/dep.js': `exports.n = 2;` });
  expect(app.takeEvaluated()).toEqual(['src/dep.js']);
  expect(takeLines()).toEqual(['disposed']);
});
