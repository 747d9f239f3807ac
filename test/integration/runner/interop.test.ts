import { describe, expect, it } from 'vitest';
import { type Files, useRunnerProject } from './support/runner-project.ts';

const packageOf = (name: string, fields: object, files: Files): Files =>
  Object.fromEntries(
    Object.entries({
      'package.json': JSON.stringify({ name, version: '1.0.0', ...fields }),
      ...files,
    }).map(([file, content]) => [`node_modules/${name}/${file}`, content]),
  );

const project = useRunnerProject({
  files: {
    ...packageOf(
      'cjs-object',
      {},
      {
        'index.js': `module.exports = { one: 1, two() { return this === module.exports; }, 'odd-key': 3 };
        Object.defineProperty(module.exports, 'lazy', { enumerable: true, get: () => 'lazy' });`,
      },
    ),
    ...packageOf(
      'cjs-function',
      {},
      {
        'index.js': `module.exports = function fn(x) { return 'called ' + x; }; module.exports.extra = 1;`,
      },
    ),
    ...packageOf(
      'cjs-class',
      {},
      { 'index.js': 'module.exports = class Thing { x = 1; static y = 2; };' },
    ),
    ...packageOf(
      'cjs-esmodule',
      {},
      {
        'index.js': `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = function main() { return 'main'; }; exports.named = 'named';`,
      },
    ),
    ...packageOf(
      'cjs-no-default',
      {},
      {
        'index.js': `Object.defineProperty(exports, '__esModule', { value: true }); exports.named = 'named';`,
      },
    ),
    ...packageOf(
      'cjs-computed',
      {},
      {
        'index.js': `for (const name of ['alpha', 'beta']) exports[name] = name; exports.patch = () => { exports.alpha = 'patched'; exports.added = 'added'; };`,
      },
    ),
    ...packageOf(
      'cjs-instance',
      {},
      {
        'index.js': `class Base { inherited() { return this.own; } } class Bus extends Base { own = 'own'; } module.exports = new Bus();`,
      },
    ),
    ...packageOf(
      'cjs-default-key',
      {},
      { 'index.js': 'module.exports = { default: "inner", x: 1 };' },
    ),
    ...packageOf('cjs-primitive', {}, { 'index.js': 'module.exports = "text";' }),
    ...packageOf(
      'dual',
      { main: './index.js', exports: { '.': { import: './index.mjs', require: './index.js' } } },
      {
        'index.js':
          'exports.Thing = class Thing {}; exports.format = "cjs"; exports.user = () => require("dual-user").Thing;',
        'index.mjs':
          'export class Thing {} export const format = "esm"; export default { format };',
      },
    ),
    ...packageOf(
      'dual-user',
      {},
      {
        'index.js':
          'exports.Thing = require("dual").Thing; exports.make = () => new exports.Thing();',
      },
    ),
    ...packageOf(
      'esm-only',
      { type: 'module', exports: { import: './index.js' } },
      {
        'index.js':
          'export const named = "named"; export default function main() { return "main"; }',
      },
    ),
    ...packageOf(
      'esm-plain',
      { type: 'module', exports: './index.js' },
      {
        'index.js':
          'export const named = "named"; export default function main() { return "main"; }',
      },
    ),
    ...packageOf(
      'esm-no-default',
      { type: 'module', exports: './index.js' },
      { 'index.js': 'export const named = "named";' },
    ),
    ...packageOf(
      'esm-awaiting',
      { type: 'module', exports: './index.js' },
      {
        'index.js':
          'export const named = await Promise.resolve("awaited"); export default { named };',
      },
    ),
    ...packageOf(
      'with-subpath',
      { exports: { './sub': './lib/sub.js', './data.json': './data.json' } },
      {
        'lib/sub.js': 'exports.sub = "sub";',
        'data.json': '{"x": 1}',
      },
    ),
    'src/lib/helper.ts': `export const helper = 'helper';`,
  },
});
const same = (files: Files) => project.expectSame(files);

describe('imports of packages', () => {
  it.each([
    ['an object', 'cjs-object'],
    ['a function', 'cjs-function'],
    ['a class', 'cjs-class'],
    ['a compiled ES module', 'cjs-esmodule'],
    ['a compiled ES module without default', 'cjs-no-default'],
    ['computed exports', 'cjs-computed'],
    ['a key called default', 'cjs-default-key'],
    ['both formats', 'dual'],
    ['ESM that may be required', 'esm-plain'],
    ['ESM without a default', 'esm-no-default'],
  ])('look as in stock for %s', async (_, name) => {
    const describeValue = `const show = (value: any) => [typeof value, value && typeof value === 'object' ? Object.keys(value).sort() : String(value?.name ?? value)];`;
    await same({
      [`src/${name}/default.ts`]: `import whole from '${name}'; ${describeValue} export const result = [show(whole), whole === require('${name}')];`,
    });
    await same({
      [`src/${name}/star.ts`]: `import * as all from '${name}'; ${describeValue} export const result = [show(all), show((all as any).default)];`,
    });
    await same({
      [`src/${name}/named.ts`]: `import whole, { one, two, lazy, extra, named, alpha, format, x } from '${name}';
        ${describeValue} export const result = [show(whole), one, two, lazy, extra, named, alpha, format, x];`,
    });
    await same({
      [`src/${name}/reexport.ts`]: `import * as all from './all'; ${describeValue} export const result = [show(all), Object.keys(all)];`,
      [`src/${name}/all.ts`]: `export * from '${name}'; export { default as main } from '${name}'; export const own = 1;`,
    });
  });

  it('look as in stock for a primitive', async () => {
    await same({
      'src/primitive/main.ts': `import whole from 'cjs-primitive'; import * as all from 'cjs-primitive'; export const result = [whole, all];`,
    });
  });

  it('calls a namespace of a function as stock does, that is: not', async () => {
    const result = await same({
      'src/call/main.ts': `import * as fn from 'cjs-function'; import whole from 'cjs-function'; import required = require('cjs-function');
        export const result = () => { try { return (fn as any)(1); } catch (error: any) { return [error.name, whole(2), required(3), new (whole as any)(1) instanceof whole]; } };`,
    });
    expect(result).toEqual(['TypeError', 'called 2', 'called 3', true]);
  });

  it('see what is patched or added later', async () => {
    expect(
      await same({
        'src/patched/main.ts': `import { alpha, patch } from 'cjs-computed'; import { added } from 'cjs-computed';
          const before = alpha; patch(); export const result = [before, alpha, added];`,
      }),
    ).toEqual(['alpha', 'patched', 'added']);
  });

  it('see what an instance inherits', async () => {
    expect(
      await same({
        'src/inherited/main.ts': `import { inherited, own } from 'cjs-instance';
          export const result = [own, typeof inherited];`,
      }),
    ).toEqual(['own', 'function']);
  });

  it('share one instance of a package with two formats with those that require it', async () => {
    expect(
      await same({
        'src/dual2/main.ts': `import { Thing, format } from 'dual'; import { make } from 'dual-user';
          export const result = [make() instanceof Thing, format];`,
      }),
    ).toEqual([true, 'cjs']);
  });

  it('load subpaths and JSON of packages', async () => {
    await same({
      'src/subpath/main.ts': `import { sub } from 'with-subpath/sub'; import data from 'with-subpath/data.json'; export const result = [sub, data];`,
    });
  });

  it('load ESM that stock cannot load', async () => {
    expect(
      await project.run({
        'src/awaiting/main.ts': `import whole, { named } from 'esm-awaiting'; import main, { named as other } from 'esm-only'; import * as all from 'esm-only';
          export const result = [whole, named, main(), other, Object.keys(all).sort()];`,
      }),
    ).toEqual([{ named: 'awaited' }, 'awaited', 'main', 'named', ['default', 'named']]);
  });

  it('say how to load a package with top-level await when it is required', async () => {
    await expect(
      project.run({ 'src/awaiting/required.ts': `export const result = require('esm-awaiting');` }),
    ).rejects.toMatchObject({ code: 'ERR_REQUIRE_ASYNC_MODULE' });
  });

  it('give `import()` of a package the interop of Node, as stock does', async () => {
    await same({
      'src/dynamic/main.ts': `export const result = async () => {
          const names = ['cjs-object', 'cjs-esmodule', 'dual', 'esm-only', 'esm-awaiting', 'node:path'];
          const modules = await Promise.all(names.map((name) => import(name)));
          return [modules.map((module) => Object.keys(module).sort()), (await import('cjs-esmodule')).default.default.name, (await import('dual')).format];
        };`,
    });
  });
});

describe('imports of builtin modules', () => {
  it('have a default, names and a namespace', async () => {
    await same({
      'src/builtin/main.ts': `import fs, { existsSync } from 'node:fs'; import * as path from 'path'; import { promises } from 'fs'; import { EventEmitter } from 'events'; import events from 'events'; import * as assert from 'assert';
        export const result = [fs.existsSync === existsSync, typeof path.join, typeof path.default, typeof promises.readFile, events === EventEmitter, typeof assert, typeof assert.default, Object.keys(path).sort()];`,
    });
  });

  it('see the patches of a third party', async () => {
    expect(
      await same({
        'src/builtin/patched.ts': `import { patchedByTest } from 'node:fs'; import './patch';
          export const result = patchedByTest?.();`,
        'src/builtin/patch.ts': `import fs from 'node:fs'; fs.patchedByTest = () => 'patched';`,
      }),
    ).toEqual('patched');
  });
});

describe('imports of JSON', () => {
  it('have every key, also those that are no identifiers', async () => {
    expect(
      await same({
        'src/json/main.ts': `import data from './data.json'; import * as all from './data.json'; import { a } from './data.json';
          const { default: inner, ...keys } = all as any;
          export const result = [data, a, keys, inner === data, data === require('./data.json')];`,
        'src/json/data.json': '{"b-c": 2, "a": 1, "1": 0, "class": true, "default": 5}',
      }),
    ).toBeTruthy();
  });

  it('take arrays and single values', async () => {
    await same({
      'src/json/other.ts': `import list from './list.json'; import text from './text.json'; import * as all from './list.json'; export const result = [list, list.length, text, Object.keys(all)];`,
      'src/json/list.json': '[1, {"a": 2}]',
      'src/json/text.json': '"text"',
    });
  });

  it('accept import attributes', async () => {
    expect(
      await project.run({
        'src/json/attributes.ts': `import data from './small.json' with { type: 'json' }; export const result = data;`,
        'src/json/small.json': '{"a": 1}',
      }),
    ).toEqual({ a: 1 });
  });
});
