import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { useRunnerProject, writeFiles } from './support/runner-project.ts';

const project = useRunnerProject({
  compilerOptions: undefined,
  files: {
    'tsconfig.base.json': JSON.stringify({
      compilerOptions: {
        baseUrl: './src',
        paths: {
          '~/*': ['./*'],
          'exact-alias': ['./lib/helper.ts'],
          '@two/*': ['./nowhere/*', './lib/*'],
        },
      },
    }),
    'tsconfig.json': JSON.stringify({
      extends: './tsconfig.base.json',
      // Medusa's older starter: fields are assigned, not defined.
      compilerOptions: {
        target: 'ES2021',
        module: 'Node16',
        moduleResolution: 'Node16',
        esModuleInterop: true,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        skipLibCheck: true,
      },
      'ts-node': { swc: true },
    }),
    'src/lib/helper.ts': `export const helper = 'helper';`,
  },
});

describe('a tsconfig that extends another', () => {
  it('has its `paths` and `baseUrl`', async () => {
    expect(
      await project.expectSame({
        'src/a/main.ts': `import { helper } from '~/lib/helper'; import { helper as exact } from 'exact-alias'; import { helper as based } from 'lib/helper'; import { helper as second } from '@two/helper';
          export const result = [helper, exact, based, second, require('~/lib/helper').helper, require('lib/helper').helper];`,
      }),
    ).toEqual(new Array(6).fill('helper'));
  });

  it('has its `paths` also in JavaScript', async () => {
    expect(
      await project.expectSame({
        'src/a/script.js': `exports.result = [require('~/lib/helper').helper, require('exact-alias').helper];`,
      }),
    ).toEqual(['helper', 'helper']);
  });

  it('has fields as its target says', async () => {
    await project.expectSame({
      'src/b/main.ts': `class Base { set x(value: number) { (this as any).viaSetter = value; } get x() { return 0; } }
        class Child extends Base { declared?: string; y = 1; constructor(public z = this2()) { super(); } }
        class WithSetter extends Base { override x = 5 as any; }
        function this2() { return 1; }
        export const result = [Object.entries(new Child()), Object.entries(new WithSetter())];`,
    });
  });
});

describe('a package of the workspace', () => {
  let packages: string;

  beforeAll(() => {
    packages = join(project.root, '../packages');
    writeFiles(packages, {
      'source/package.json': '{"name":"source","main":"./src/index.ts"}',
      'source/src/index.ts': `import { inner } from './inner'; const g = globalThis as any; g.sourceRuns = (g.sourceRuns ?? 0) + 1; export class Source { constructor(public inner = 'x') {} } export const value: string = inner;`,
      'source/src/inner.ts': `export const inner: string = 'source';`,
      'built/package.json': '{"name":"built","main":"./dist/index.js"}',
      'built/dist/index.js': `exports.built = require('./part').part; exports.file = __filename;`,
      'built/dist/part.js': `exports.part = 'built';`,
      'both/package.json':
        '{"name":"both","exports":{"import":"./dist/index.mjs","require":"./dist/index.js"}}',
      'both/dist/index.js': `exports.format = 'cjs'; exports.Thing = class Thing {};`,
      'both/dist/index.mjs': `export const format = 'esm'; export class Thing {}`,
    });
    mkdirSync(join(project.root, 'node_modules'), { recursive: true });
    for (const name of ['source', 'built', 'both']) {
      symlinkSync(join(packages, name), join(project.root, 'node_modules', name), 'junction');
    }
  });

  it('is executed by the runner where it is TypeScript', async () => {
    const file = join(packages, 'source/src/index.ts');
    expect(
      await project.expectSame({
        'src/c/main.ts': `import { Source, value } from 'source'; import * as all from 'source';
          export const result = [value, new Source() instanceof require('source').Source, new Source(), require.resolve('source'), Object.keys(all)];`,
      }),
    ).toEqual(['source', true, { inner: 'x' }, file, ['Source', 'value']]);
    expect(await project.runner.ask('isEvaluated', { file })).toBe(true);
    expect(await project.runner.ask('global', { name: 'sourceRuns' })).toBe(1);
    const { edges } = await project.runner.ask<{ edges: string[][] }>('report');
    expect(edges).toContainEqual([`${project.root}/src/c/main.ts`, file]);
    expect(project.modules.isLoaded(join(packages, 'source/src/inner.ts'))).toBe(true);
    expect(project.modules.importersOf(join(packages, 'source/src/inner.ts'))).toEqual([file]);
  });

  it('is found where its file has moved to', async () => {
    const read = () => project.runner.ask('run', { file: join(project.root, 'src/moved/main.ts') });
    writeFiles(packages, { 'source/src/word/index.ts': `export const word = 'folder';` });
    await project.run({
      'src/moved/main.ts': `export const result = () => require('source/src/word').word;`,
    });
    expect(await read()).toBe('folder');

    writeFiles(packages, { 'source/src/word.ts': `export const word = 'file';` });

    expect(await read()).toBe('file');
    rmSync(join(packages, 'source/src/word.ts'));
    expect(await read()).toBe('folder');
  });

  it('is loaded by Node and reported where it is built', async () => {
    expect(
      await project.expectSame({
        'src/d/main.ts': `import { built, file } from 'built'; export const result = [built, file];`,
      }),
    ).toEqual(['built', join(packages, 'built/dist/index.js')]);
    const { natives } = await project.runner.ask<{ natives: string[] }>('report');
    expect(natives).toContain(join(packages, 'built/dist/index.js'));
    expect(natives).toContain(join(packages, 'built/dist/part.js'));
  });

  it('is one instance where it is built in two formats', async () => {
    expect(
      await project.expectSame({
        'src/e/main.ts': `import { format, Thing } from 'both'; export const result = [format, Thing === require('both').Thing];`,
      }),
    ).toEqual(['cjs', true]);
  });

  it('is reported also where `import()` loads it', async () => {
    const file = join(packages, 'source/tools/esm.mjs');
    writeFiles(packages, { 'source/tools/esm.mjs': 'export const tool = await "tool";' });
    expect(
      await project.expectSame({
        'src/f/main.ts': `export const result = async () => (await import('source/tools/esm.mjs')).tool;`,
      }),
    ).toBe('tool');
    const { natives } = await project.runner.ask<{ natives: string[] }>('report');
    expect(natives).toContain(file);
  });
});
