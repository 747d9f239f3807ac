import { describe, expect, it } from 'vitest';
import { type Files, useRunnerProject } from './support/runner-project.ts';

const project = useRunnerProject({
  files: {
    'src/lib/helper.ts': `export const helper = 'helper';`,
    'src/lib/deep/index.ts': `export const deep = 'deep';`,
  },
});
const same = (files: Files) => project.expectSame(files);

describe('decorators', () => {
  it('write the metadata that stock writes, also for types', async () => {
    await same({
      'src/a/main.ts': `import 'reflect-metadata';
        import { Shape, Circle, Kind, Options } from './types';
        import type { Square } from './types';
        import * as types from './types';
        function note(target: any, key?: any, index?: any): any {}
        @note
        class Service {
          @note circle!: Circle; @note shape!: Shape; @note text!: string; @note list!: string[]; @note either!: string | number;
          @note kind!: Kind; @note maybe?: Circle; @note when!: Date; @note viaStar!: types.Circle; @note fn!: () => void; @note options!: Options;
          constructor(a: Circle, b: Shape, @note c: number, private readonly d: Map<string, Circle>) {}
          @note run(circle: Circle, shape: Shape, big: bigint, nothing: null, any: any): Promise<Circle> { return null as any; }
          @note get size(): number { return 1; }
        }
        const name = (type: any) => (typeof type === 'function' ? type.name : String(type));
        const names = (types: any) => types && types.map(name);
        export const result = [
          ...['circle', 'shape', 'text', 'list', 'either', 'kind', 'maybe', 'when', 'viaStar', 'fn', 'options', 'size', 'run'].map((key) => [key, name(Reflect.getMetadata('design:type', Service.prototype, key))]),
          names(Reflect.getMetadata('design:paramtypes', Service)), names(Reflect.getMetadata('design:paramtypes', Service.prototype, 'run')),
          name(Reflect.getMetadata('design:returntype', Service.prototype, 'run')), Service.name,
        ];`,
      'src/a/types.ts': `export interface Shape { size: number } export class Circle implements Shape { size = 1 } export class Square {}
        export enum Kind { A = 'a' } export type Options = { x: 1 };`,
    });
  });

  it('work on parameters as the framework uses them', async () => {
    await same({
      'src/b/main.ts': `import { InjectManager, MedusaContext, MedusaService, model } from '@medusajs/framework/utils';
        import { Context } from '@medusajs/framework/types';
        const Brand = model.define('brand', { id: model.id().primaryKey(), name: model.text() });
        class BrandService extends MedusaService({ Brand }) {
          @InjectManager()
          async rename(id: string, @MedusaContext() context: Context = {}) { return [id, Object.keys(context)]; }
        }
        export const result = [Object.getOwnPropertyNames(BrandService.prototype), (BrandService.prototype as any).MedusaContextIndex_?.rename, BrandService.name, typeof (BrandService.prototype as any).createBrands];`,
    });
  });

  it('run in the same order', async () => {
    await same({
      'src/c/main.ts': `const calls: string[] = [];
        const note = (name: string): any => { calls.push('make ' + name); return (...args: any[]) => { calls.push('apply ' + name + typeof args[2]); }; };
        @note('class') class A { @note('static') static s = 1; @note('field') f = 1; @note('method') m(@note('param') p: string) {} constructor(@note('ctor') q: number) {} }
        export const result = [calls, A.name, new A(1)];`,
    });
  });
});

describe('imports of types', () => {
  it('leave nothing behind, marked or not', async () => {
    await same({
      'src/d/main.ts': `import { Only, real } from './types'; import { Other } from './only-types'; import Default, { type Named } from './types';
        export { Only } from './types'; export type { Other } from './only-types';
        const value: Only & Other & Named & Default = { a: 1 } as any;
        export const result = () => [value, real, (globalThis as any).onlyTypesRan, Object.keys(require('./main'))];`,
      'src/d/types.ts': `export interface Only { a: number } export type Named = { a: number }; export const real = 1; export default interface Default { a: number }`,
      'src/d/only-types.ts': `(globalThis as any).onlyTypesRan = true; export interface Other { a: number }`,
    });
  });
});

describe('enums, namespaces and classes', () => {
  it('behave the same', async () => {
    await same({
      'src/e/main.ts': `import { Color, Level, Flag, Space } from './enums';
        namespace Local { export const inner = 1; export namespace Deep { export const x = inner + 1; } }
        enum Computed { A = 'abc'.length, B = A << 1 }
        export const result = [Color, Color.Red, Color[0], Level.High, require('./enums').Level, Flag, Space.made(), Local, Computed];`,
      'src/e/enums.ts': `export enum Color { Red, Green = 5 } export const enum Level { Low = 'low', High = 'high' } export declare enum Ambient { X }
        export enum Flag { A = 1, B = A | 4 } export namespace Space { export function made() { return 'made'; } }`,
    });
  });

  it('have the same fields', async () => {
    await same({
      'src/f/main.ts': `class Base { a = 1; constructor() { this.init(); } init() {} }
        class Child extends Base { b?: string; c: number | undefined; declare d: string; constructor(public e = 5, readonly f = this2()) { super(); } override init() { this.c = 7; } static #count = 1; static count() { return Child.#count; } accessor = 1; }
        function this2() { return 'f'; }
        abstract class Abstract { abstract x: number; y!: string; }
        class Concrete extends Abstract { x = 1; }
        export const result = [Object.entries(new Child()), Child.count(), Object.entries(new Concrete())];`,
    });
  });

  it('keep their names, and have the stable one where they have none', async () => {
    expect(
      await same({
        'src/g/main.ts': `import fn from './fn'; import arrow from './arrow'; import asyncFn from './async-fn'; import Anonymous from './anonymous'; import named, { Kept } from './named'; import wrapped from './wrapped';
          export const result = [fn.name, arrow.name, asyncFn.name, Anonymous.name, named.name, Kept.name, wrapped.name, new Kept().kind()];`,
        'src/g/fn.ts': 'export default function () {}',
        'src/g/arrow.ts': 'export default () => {};',
        'src/g/async-fn.ts': 'export default async function () {}',
        'src/g/anonymous.ts': 'export default class { x = 1 }',
        'src/g/named.ts': `export default async function orderPlaced() {} export class Kept { kind() { return this.constructor.name; } }`,
        'src/g/wrapped.ts': `const wrap = (fn: any) => fn; export default wrap(() => {});`,
      }),
    ).toEqual(['_default', '_default', '_default', '_default', 'orderPlaced', 'Kept', '', 'Kept']);
  });

  it('satisfies, generics, optional chaining, assertion functions and JSX compile', async () => {
    await same({
      'src/h/main.tsx': `const config = { a: 1 } satisfies Record<string, number>;
        function assert(value: unknown): asserts value { if (!value) throw new Error(); }
        const generic = <T,>(value: T) => value; assert(generic(config).a); using: { }
        export const result = [config?.a ?? 0, generic<string>('x'), (config as any)!.a];`,
    });
  });
});

describe('what a namespace shows', () => {
  it('has its keys in the order of the alphabet, then those of `export *`', async () => {
    await same({
      'src/i/main.ts': `import * as all from './all'; export const result = [Object.keys(all), Object.values(all).length, Object.getOwnPropertyNames(all), '__esModule' in all, Object.keys(require('./all'))];`,
      'src/i/all.ts': `export * from './star'; export const zebra = 1, apple = 2; export { inner as Middle } from './star2'; export default 1; export class Upper {} export function _private() {} export * as ns from './star2';`,
      'src/i/star.ts': `export const yellow = 1; export const blue = 2; export const apple = 'hidden';`,
      'src/i/star2.ts': 'export const inner = 1;',
    });
  });

  it('follows what the module assigns later', async () => {
    await same({
      'src/j/main.ts': `import { count, grow } from './live'; import * as all from './live'; grow(); export const result = [count, all.count, require('./live').count];`,
      'src/j/live.ts': 'export let count = 1; export const grow = () => { count++; };',
    });
  });
});

describe('paths', () => {
  it('are those of tsconfig', async () => {
    expect(
      await same({
        'src/k/main.ts': `import { helper } from '@lib/helper'; import { deep } from '@lib/deep'; import * as again from '../lib/helper';
          export const result = [helper, deep, require('@lib/helper') === require('../lib/helper'), again.helper];`,
      }),
    ).toEqual(['helper', 'deep', true, 'helper']);
  });

  it('lead from `.js` to TypeScript, which stock cannot follow', async () => {
    expect(
      await project.run({
        'src/l/main.ts': `import { helper } from '../lib/helper.js'; import { m } from './m.mjs'; export const result = [helper, require('../lib/helper.js').helper, m];`,
        'src/l/m.mts': `export const m = 'm';`,
      }),
    ).toEqual(['helper', 'helper', 'm']);
  });

  it('lead to JavaScript in all its forms', async () => {
    await same({
      'src/m/main.ts': `import cjs, { a } from './cjs.js'; import { b } from './common.cjs'; import esm, { c } from './esm.js'; import { d } from './module.mjs';
        export const result = [cjs, a, b, esm, c, d, require('./cjs.js') === cjs, require('./esm.js').c];`,
      'src/m/cjs.js': `const path = require('node:path'); module.exports = { a: 1, base: path.basename(__filename) };`,
      'src/m/common.cjs': 'exports.b = 2;',
      'src/m/esm.js': 'export const c = 3; export default "default";',
      'src/m/module.mjs': 'export const d = 4;',
    });
  });

  it('prefer what Node prefers when an extension is missing', async () => {
    await same({
      'src/n/main.ts': `import a from './a'; import { b } from './b'; import { c } from './c'; export const result = [a, b, c];`,
      'src/n/a.ts': `export default 'ts';`,
      'src/n/a.json': '"json"',
      'src/n/b.ts': `export const b = 'file';`,
      'src/n/b/index.ts': `export const b = 'folder';`,
      'src/n/c.js': `exports.c = 'js';`,
      'src/n/c.ts': `export const c = 'ts';`,
    });
  });

  it('may be those of `imports` in package.json', async () => {
    await same({
      'package.json': '{"name":"my-shop","imports":{"#lib/*":"./src/lib/*.ts"}}',
      'src/o/main.ts': `import { helper } from '#lib/helper'; export const result = [helper, require('#lib/helper').helper];`,
    });
  });
});

describe('the environment', () => {
  it('is read when the code runs', async () => {
    expect(
      await same({
        'src/p/main.ts': `const first = process.env.NODE_ENV; process.env.NODE_ENV = 'staging'; process.env.VITE_X = 'x';
          const env = process.env; const { NODE_ENV } = env;
          const second = [process.env.NODE_ENV, process.env['NODE_ENV'], globalThis.process.env.NODE_ENV, global.process.env.NODE_ENV, NODE_ENV, process.env.VITE_X];
          process.env.NODE_ENV = first;
          export const result = [first, second, typeof (globalThis as any).__DEV__, typeof (globalThis as any).__vite_ssr_import__, Object.keys(globalThis).filter((key) => /vite/i.test(key))];`,
      }),
    ).toEqual([
      'development',
      ['staging', 'staging', 'staging', 'staging', 'staging', 'x'],
      'undefined',
      'undefined',
      [],
    ]);
  });
});
