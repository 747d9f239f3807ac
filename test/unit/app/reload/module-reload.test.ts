import { describe, expect, it } from 'vitest';
import { MAIN, mainProject, ROOT, takeLines } from '../support/memory-app.ts';
import type { Files } from '../support/memory-host.ts';

const DEP = 'src/dep.ts';

/** The modules that a change of `dep` evaluates, in a project of `main` and `dep`. */
async function evaluatedBy(main: string, before: string, after: string, more: Files = {}) {
  const app = await mainProject({ [MAIN]: main, [DEP]: before, ...more });
  expect(await app.save({ [DEP]: after })).toMatchObject({ type: 'reloaded' });
  return app.takeEvaluated();
}

const ONLY_DEP = [DEP];
const BOTH = [DEP, MAIN];

describe('a module that imports a changed one', () => {
  it.each([
    ['is the same', `1`, `1`, ONLY_DEP],
    ['is the same text', `'a' + 'b'`, `'ab'`, ONLY_DEP],
    ['is not a number, still', `NaN`, `0 / 0`, ONLY_DEP],
    ['is another', `1`, `2`, BOTH],
    ['is an object, which may hold on to code', `{}`, `{}`, BOTH],
    ['is a function', `() => 1`, `() => 1`, BOTH],
  ])('and uses a constant of it that %s', async (_what, before, after, expected) => {
    const main = `import { a } from './dep'; log(a);`;
    const source = (value: string) => `export const a = ${value};`;
    expect(await evaluatedBy(main, source(before), source(after))).toEqual(expected);
  });

  it.each([
    ['a variable, which may change later', `export let a = 1;`, `export let a = 1; 1;`],
    ['what is a variable now', `export const a = 1;`, `export let a = 1;`],
    ['what was a variable', `export let a = 1;`, `export const a = 1;`],
  ])('and uses of it %s, is evaluated', async (_what, before, after) => {
    const main = `import { a } from './dep'; log(a);`;
    expect(await evaluatedBy(main, before, after)).toEqual(BOTH);
  });

  it.each([
    ['all of it', `import * as all from './dep'; log(all.a);`],
    ['what it does', `import './dep';`],
    ['all of it under its own name', `export * from './dep';`],
    ['it by `require`', `const { a } = require('./dep');`],
  ])('and uses %s, is evaluated', async (_what, main) => {
    const source = `export const a = 1;`;
    expect(await evaluatedBy(main, source, `${source}1;`)).toEqual(BOTH);
  });

  it('and also imports it in a way that names no export, is evaluated', async () => {
    const main = `import { a } from './dep'; log(a); require('./dep');`;
    expect(await evaluatedBy(main, `export const a = 1;`, `export const a = 1; 1;`)).toEqual(BOTH);
  });

  it('is not evaluated for a change of another export, or of a name alone', async () => {
    const before = `export const a = 1; export const b = 1;`;
    expect(
      await evaluatedBy(
        `import { a } from './dep'; log(a);`,
        before,
        before.replace('b = 1', 'b = 2'),
      ),
    ).toEqual(ONLY_DEP);
  });

  it('is evaluated for any change of imported data', async () => {
    const app = await mainProject({
      [MAIN]: `import data from './data.json'; log(data.a);`,
      'src/data.json': '{ "a": 1 }',
    });
    await app.save({ 'src/data.json': '{ "a": 1, "b": 2 }' });
    expect(app.takeEvaluated()).toContain(MAIN);
  });

  it('is evaluated when forced, even if its imports are the same', async () => {
    const app = await mainProject({
      [MAIN]: `import { a } from './dep'; log(a);`,
      [DEP]: `export const a = 1;`,
    });
    await app.save(
      { [DEP]: `export const a = 1;` },
      { plan: (plan) => ({ ...plan, isForced: true }) },
    );
    expect(app.takeEvaluated()).toEqual(BOTH);
  });

  it('is evaluated if it has changed as well', async () => {
    const main = `import { a } from './dep'; log(a);`;
    const app = await mainProject({ [MAIN]: main, [DEP]: `export const a = 1;` });
    await app.save({ [DEP]: `export const a = 1; 1;`, [MAIN]: `${main}1;` });
    expect(app.takeEvaluated()).toEqual(BOTH);
  });

  it('is evaluated if only the host knows why', async () => {
    const app = await mainProject({
      [MAIN]: `import { a } from './dep'; log(a);`,
      [DEP]: `export const a = 1;`,
    });
    await app.save(
      { [DEP]: `export const a = 1; 1;` },
      {
        plan: (plan) => ({ ...plan, invalidated: [`${ROOT}/${MAIN}`], modules: {}, evaluate: [] }),
      },
    );
    expect(app.takeEvaluated()).toEqual([MAIN]);
  });

  it('is kept behind another that is kept, and evaluated behind one that is not', async () => {
    const through = (what: string) => `import { a } from './dep'; export const b = ${what};`;
    const main = `import { b } from './through'; log(b);`;
    const dep = (value: number) => `export const a = ${value};`;
    const path = 'src/through.ts';
    expect(await evaluatedBy(main, dep(1), `${dep(1)}1;`, { [path]: through('a') })).toEqual([DEP]);
    expect(await evaluatedBy(main, dep(1), dep(2), { [path]: through('a > 0') })).toEqual([
      DEP,
      path,
    ]);
    expect(await evaluatedBy(main, dep(1), dep(2), { [path]: through('a') })).toEqual([
      DEP,
      path,
      MAIN,
    ]);
  });

  it('in a cycle is evaluated, in the order in which the cycle was', async () => {
    const files = {
      'src/a.ts': `import { b } from './b'; import { dep } from './dep'; export const a = 1; log('a', b, dep);`,
      'src/b.ts': `import { a } from './a'; export const b = 1; export const later = () => a;`,
    };
    const dep = `export const dep = 1;`;
    expect(await evaluatedBy(`import { a } from './a'; log(a);`, dep, `${dep}1;`, files)).toEqual([
      'src/b.ts',
      DEP,
      'src/a.ts',
    ]);
  });

  it('in a chain of diamonds is compared in time that grows with the length of the chain', async () => {
    const files: Files = { [DEP]: `export let n = 0;`, 'src/d0.ts': `export { n } from './dep';` };
    for (let depth = 1; depth <= 20; depth++) {
      for (const side of ['l', 'r']) {
        files[`src/${side}${depth}.ts`] = `export { n } from './d${depth - 1}';`;
      }
      files[`src/d${depth}.ts`] = `import './l${depth}'; export { n } from './r${depth}';`;
    }
    const app = await mainProject({ ...files, [MAIN]: `import { n } from './d20'; log(n);` });
    await app.save({ [DEP]: `export let n = 1;` });
    expect(app.takeEvaluated()).toHaveLength(Object.keys(files).length + 1);
    expect(takeLines()).toEqual(['1']);
  });
});

describe('code', () => {
  it('that came with the batch is not fetched again, nor is code that stays as it was', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import './same';`,
      [DEP]: '',
      'src/same.ts': '',
    });
    app.host.fetched.splice(0);
    await app.save({ [DEP]: '1;' });
    expect([app.takeEvaluated(), app.host.fetched]).toEqual([BOTH, []]);
  });

  it('that was fetched in a reload that failed is fetched again: it may differ by then', async () => {
    const app = await mainProject({
      [MAIN]: '',
      'src/both.ts': `import './boom'; import './new';`,
      'src/boom.ts': `throw new Error('oops');`,
      'src/new.ts': `log('old');`,
    });
    await app.save({ [MAIN]: `import './both';` });
    await app.host.write({ 'src/new.ts': `log('new');` });
    await app.save({ [MAIN]: `import './new';` });
    expect(takeLines()).toEqual(['new']);
  });

  it('of a module that was gone and is back is the new one', async () => {
    const app = await mainProject({ [MAIN]: `import './dep';`, [DEP]: `log('old');` });
    await app.save({ [MAIN]: '' }, { deleted: [DEP] });
    expect(app.exportsOf(DEP)).toBeUndefined();
    await app.save({ [MAIN]: `import './dep';`, [DEP]: `log('new');` });
    expect(takeLines()).toEqual(['new']);
  });

  it('of a replaced version is not kept in memory', async () => {
    const app = await mainProject({ [MAIN]: `import './dep'; export { module };`, [DEP]: `` });
    const before = app.exportsOf(MAIN) as { module: NodeJS.Module };
    expect(before.module.children).toHaveLength(1);
    await app.save({ [DEP]: '1;' });
    expect(before.module.children).toEqual([]);
    const after = app.exportsOf(MAIN) as { module: NodeJS.Module };
    expect(after.module.children.map(({ id }) => id)).toEqual([`${ROOT}/${DEP}`]);
  });
});

describe('a reload that fails', () => {
  it('leaves every module the very same', async () => {
    const app = await mainProject({
      [MAIN]: `import './dep'; import './other';`,
      [DEP]: `export const a = {};`,
      'src/other.ts': `import './dep'; export const b = {};`,
    });
    const read = () => [MAIN, DEP, 'src/other.ts'].map((path) => app.exportsOf(path));
    const before = read();
    await app.save({
      [DEP]: `export const a = {}; 1;`,
      [MAIN]: `import './dep'; throw new Error('oops')`,
    });
    expect(read().every((exports, index) => exports === before[index])).toBe(true);
  });
});
