import { describe, expect, it } from 'vitest';
import { useRunnerProject } from './support/runner-project.ts';

// Stock compiles to CommonJS and cannot do any of this.
const project = useRunnerProject({
  files: { 'src/lib/helper.ts': `export const helper = 'helper';` },
});

describe('import()', () => {
  it('loads TypeScript from a fixed or computed path', async () => {
    expect(
      await project.run({
        'src/a/main.ts': `export const result = async () => {
            const name = 'other';
            const modules = [await import('./other'), await import('./other.ts'), await import('./' + name), await import(__dirname + '/other'), await import('@lib/helper'), await import('@lib/' + 'helper'),
              await import(new URL('./other.ts', import.meta.url).href), await import('../a/folder')];
            return [modules.map((module) => Object.keys(module)), modules[0] === modules[2], modules[0] === modules[3], modules[0] === modules[6]];
          };`,
        'src/a/other.ts': 'export const other = 1;',
        'src/a/folder/index.ts': `export const inFolder = 1;`,
      }),
    ).toEqual([
      [['other'], ['other'], ['other'], ['other'], ['helper'], ['helper'], ['other'], ['inFolder']],
      true,
      true,
      true,
    ]);
  });

  it('runs the other module after the one that asks', async () => {
    expect(
      await project.run({
        'src/b/main.ts': `const order: string[] = ((globalThis as any).orderB = []);
          const promise = import('./other'); order.push('main'); export const value = 1;
          export const result = async () => { await promise; return order; };`,
        'src/b/other.ts': `import { value } from './main'; (globalThis as any).orderB.push('other ' + value);`,
      }),
    ).toEqual(['main', 'other 1']);
  });

  it('rejects for a missing module, and never throws', async () => {
    expect(
      await project.run({
        'src/c/main.ts': `export const result = () => { const name = './missing'; return Promise.all([import(name), import('no-such-package' + '')].map((p) => p.catch((error) => error.code ?? error.message))); };`,
      }),
    ).toEqual(['ERR_MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']);
  });

  it('reports the tie that no static analysis sees', async () => {
    await project.run({
      'src/d/main.ts': `const name = './other'; export const result = async () => { await import(name); require('./third'); };`,
      'src/d/other.ts': 'export {};',
      'src/d/third.ts': 'export {};',
    });
    const { edges } = await project.runner.ask<{ edges: string[][] }>('report');
    const main = `${project.root}/src/d/main.ts`;
    expect(edges).toContainEqual([main, `${project.root}/src/d/other.ts`]);
    expect(edges).toContainEqual([main, `${project.root}/src/d/third.ts`]);
  });
});

describe('top-level await', () => {
  it('is waited for by those who import the module', async () => {
    expect(
      await project.run({
        'src/e/main.ts': `import { value } from './middle'; import { direct } from './awaiting'; export const result = [value, direct];`,
        'src/e/middle.ts': `import { direct } from './awaiting'; export const value = 'middle ' + direct;`,
        'src/e/awaiting.ts': `import { first } from './first'; export const direct = await Promise.resolve(first); for await (const x of [1]) void x;`,
        'src/e/first.ts': `export const first = await new Promise((resolve) => setTimeout(() => resolve('first'), 10));`,
      }),
    ).toEqual(['middle first', 'first']);
  });

  it('runs the module once, however many ask for it meanwhile', async () => {
    project.write({
      'src/f/one.ts': `export * from './awaiting';`,
      'src/f/two.ts': `export * from './awaiting';`,
      'src/f/awaiting.ts': `const g = globalThis as any; g.ranF = (g.ranF ?? 0) + 1; await null; export const x = 1;`,
    });
    const files = ['one', 'two', 'awaiting'].map((name) => `${project.root}/src/f/${name}.ts`);
    await project.runner.ask('together', { files });
    expect(await project.runner.ask('global', { name: 'ranF' })).toBe(1);
  });

  it('finishes in a cycle', async () => {
    expect(
      await project.run({
        'src/g/main.ts': `import { seen } from './other'; export const late = await Promise.resolve('late'); export const result = () => [seen, require('./other').now()];`,
        'src/g/other.ts': `import { late } from './main'; export const seen = typeof late; export const now = () => late;`,
      }),
    ).toEqual(['undefined', 'late']);
  });

  it('finishes when two loads enter a cycle at different ends', async () => {
    project.write({
      'src/h/one.ts': `import './slow'; import { two } from './two'; await null; export const one = 1; export const other = () => two;`,
      'src/h/two.ts': `import { one } from './one'; await null; export const two = 2; export const other = () => one;`,
      'src/h/slow.ts': 'await new Promise((resolve) => setTimeout(resolve, 20)); export {};',
    });
    const files = ['one', 'two'].map((name) => `${project.root}/src/h/${name}.ts`);
    expect(await project.runner.ask('together', { files })).toEqual(['fulfilled', 'fulfilled']);
  });

  it('cannot be required, and the error says what to do', async () => {
    await expect(
      project.run({
        'src/i/main.ts': `export const result = () => require('./awaiting');`,
        'src/i/awaiting.ts': 'export const x = await 1;',
      }),
    ).rejects.toMatchObject({
      code: 'ERR_REQUIRE_ASYNC_MODULE',
      message: expect.stringContaining('src/i/awaiting.ts` uses top-level await. Use import()'),
    });
  });

  it('is tried again after it failed', async () => {
    const files = {
      'src/j/main.ts': `import { value } from './awaiting'; export const result = value;`,
      'src/j/awaiting.ts': `import './friend'; export const value = await Promise.reject(new Error('not yet'));`,
      'src/j/friend.ts': `import { value } from './awaiting'; export const get = () => value;`,
    };
    await expect(project.run(files)).rejects.toThrow('not yet');
    await project.save({
      'src/j/awaiting.ts': `import { get } from './friend'; export const value = await Promise.resolve('now'); export const check = get;`,
    });
    expect(await project.runner.ask('run', { file: `${project.root}/src/j/main.ts` })).toBe('now');
    expect(
      await project.runner.ask('run', { file: `${project.root}/src/j/awaiting.ts`, name: 'check' }),
    ).toBe('now');
  });
});

describe('import.meta', () => {
  it('knows where the module is', async () => {
    const file = `${project.root}/src/k/main.ts`;
    expect(
      await project.run({
        'src/k/main.ts': `import { fileURLToPath } from 'node:url';
          export const result = [fileURLToPath(import.meta.url), import.meta.filename, import.meta.dirname, fileURLToPath(import.meta.resolve('./other')), import.meta.resolve('node:fs'),
            fileURLToPath(import.meta.resolve('typescript')).endsWith('typescript.js'), typeof import.meta.hot];`,
        'src/k/other.ts': 'export {};',
      }),
    ).toEqual([
      file,
      file,
      `${project.root}/src/k`,
      `${project.root}/src/k/other.ts`,
      'node:fs',
      true,
      'undefined',
    ]);
  });

  it('has the `glob` of Vite', async () => {
    expect(
      await project.run({
        'src/l/main.ts': `const lazy = import.meta.glob('./parts/*.ts'); const eager = import.meta.glob('./parts/*.ts', { eager: true, import: 'part' });
          export const result = async () => [Object.keys(lazy), eager, await Promise.all(Object.values(lazy).map(async (load: any) => (await load()).part))];`,
        'src/l/parts/a.ts': `export const part = 'a';`,
        'src/l/parts/b.ts': `export const part = 'b';`,
      }),
    ).toEqual([
      ['./parts/a.ts', './parts/b.ts'],
      { './parts/a.ts': 'a', './parts/b.ts': 'b' },
      ['a', 'b'],
    ]);
  });
});
