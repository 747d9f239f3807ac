import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useRunnerProject } from './support/runner-project.ts';

const project = useRunnerProject({
  files: { 'node_modules/plain/index.js': 'exports.name = "plain"; exports.load = () => require;' },
});
const same = (files: Record<string, string>) => project.expectSame(files);

describe('CommonJS manners in TypeScript', () => {
  it('gives importers what `module.exports = …` was set to', async () => {
    expect(
      await same({
        'src/a/main.ts': `import whole, { name } from './cjs'; import * as all from './cjs';
          export const result = [whole, name, Object.keys(all), whole === require('./cjs')];`,
        'src/a/cjs.ts': `module.exports = { name: 'a', 'odd-key': 1 };`,
      }),
    ).toEqual([{ name: 'a', 'odd-key': 1 }, 'a', ['name', 'odd-key', 'default'], true]);
  });

  it('gives importers what `exports.x = …` was set to, also later', async () => {
    expect(
      await same({
        'src/b/main.ts': `import { add, name, later } from './cjs';
          add();
          export const result = [name, later, require('./cjs').later];`,
        'src/b/cjs.ts': `exports.name = 'b'; exports.add = () => { exports.later = 2; };`,
      }),
    ).toEqual(['b', 2, 2]);
  });

  it('loads a class given by `export =` with `import x = require()`', async () => {
    expect(
      await same({
        'src/c/main.ts': `import Thing = require('./thing');
          class Special extends Thing { kind = 'special'; }
          export const result = [new Thing(2), new Special(3), Thing.name, new Special(1) instanceof require('./thing')];`,
        'src/c/thing.ts': `class Thing { constructor(public size: number) {} }
          export = Thing;`,
      }),
    ).toEqual([{ size: 2 }, { size: 3, kind: 'special' }, 'Thing', true]);
  });

  it('loads a class given by `export =` or `module.exports =` with a default import', async () => {
    expect(
      await same({
        'src/c2/main.ts': `import Thing from './thing'; import Other from './other';
          export const result = [new Thing().kind, new Other().kind];`,
        'src/c2/thing.ts': `class Thing { kind = 'thing' } export = Thing;`,
        'src/c2/other.ts': `module.exports = class Other { kind = 'other' };`,
      }),
    ).toEqual(['thing', 'other']);
  });

  it('exports falsy values and functions whole', async () => {
    await same({
      'src/c3/main.ts': `import zero from './zero'; import fn, { extra } from './fn'; import nothing = require('./nothing');
        export const result = [zero, require('./zero'), fn(), extra, nothing];`,
      'src/c3/zero.ts': 'module.exports = 0;',
      'src/c3/fn.ts': 'module.exports = () => 1; module.exports.extra = 2;',
      'src/c3/nothing.ts': 'module.exports = null;',
    });
  });

  it('requires JSON and TypeScript', async () => {
    expect(
      await same({
        'src/d/main.ts': `const data = require('./data.json'); const { value } = require('./esm'); const esm = require('./esm');
          const inFolder = require('./folder');
          export const result = [data, value, Object.keys(esm), esm.__esModule, esm.default, inFolder, require('./data')];`,
        'src/d/esm.ts': `export const value = 1; export default 'd';`,
        'src/d/data.json': '{"a": [1], "b-c": null}',
        'src/d/folder/index.ts': `export const name = 'folder';`,
      }),
    ).toEqual([
      { a: [1], 'b-c': null },
      1,
      ['default', 'value'],
      true,
      'd',
      { name: 'folder' },
      { a: [1], 'b-c': null },
    ]);
  });

  it('has the values of Node for `__dirname`, `__filename`, `module` and `this`', async () => {
    const [dirname] = (await same({
      'src/e/main.ts': `
        export const result = [__dirname, __filename, module.id, module.filename, module.paths, module.path, module.loaded,
          module.exports === exports, typeof module.parent, typeof module.require, module.require('./cjs').a, this === undefined,
          require('./cjs').inside, () => module.loaded];`,
      'src/e/cjs.ts': `exports.a = 1; exports.inside = [this === exports, this === module.exports, module.children.length];`,
    })) as string[];
    expect(dirname).toBe(`${project.root}/src/e`);
  });

  it('requires a file where it has moved to, and the one that goes before another', async () => {
    const read = () => project.runner.ask('run', { file: join(project.root, 'src/moved/main.ts') });
    await project.run({
      'src/moved/main.ts': `export const result = () => require('./word').word;`,
      'src/moved/word/index.ts': `export const word = 'folder';`,
    });
    expect(await read()).toBe('folder');
    await project.beginReload(
      { 'src/moved/word.ts': `export const word = 'file';` },
      { importers: ['src/moved/main.ts'] },
    );
    expect(await read()).toBe('file');
    await project.runner.ask('commit');
    rmSync(join(project.root, 'src/moved/word.ts'));
    await project.beginReload({}, { importers: ['src/moved/main.ts'] });
    expect(await read()).toBe('folder');
    await project.runner.ask('commit');
  });

  it('does not find a file where it was before, whoever asks', async () => {
    const main = 'src/moved/importer.ts';
    const result = 'export const result = () => word;';
    await project.run({
      [main]: `const { word } = require('./gone');\n${result}`,
      'src/moved/gone.ts': `export const word = 'here';`,
    });
    rmSync(join(project.root, 'src/moved/gone.ts'));
    await project.beginReload(
      { [main]: `import { word } from './gone';\n${result}` },
      { deleted: ['src/moved/gone.ts'] },
    );
    const evaluated = project.runner.ask('run', { file: join(project.root, main) });
    await expect(evaluated).rejects.toThrow("Cannot find module './gone'");
    await project.runner.ask('rollback');
  });

  it('lists what a module has loaded as its children', async () => {
    await same({
      'src/e2/main.ts': `import './one'; import 'plain'; require('./two');
        export const result = () => module.children.map((child) => child.id);`,
      'src/e2/one.ts': 'export {};',
      'src/e2/two.ts': 'export {};',
    });
  });

  it('is never the main module', async () => {
    expect(
      await same({
        'src/f/main.ts': `export const result = [require.main === module, typeof require.main, typeof require.main?.filename, !module.parent, typeof require.main?.require];`,
      }),
    ).toEqual([false, 'object', 'string', false, 'function']);
  });

  it('has the functions of `require`', async () => {
    await same({
      'src/g/main.ts': `export const result = [
        require.resolve('plain'), require.resolve('./other'), require.resolve('./folder'), require.resolve('node:fs'),
        require.resolve.paths('plain'), typeof require.cache, typeof require.extensions['.ts'],
        require.resolve('./other', { paths: [__dirname + '/folder'] }),
        require.cache[require.resolve('plain')]?.id, require.name];`,
      'src/g/other.ts': 'export {};',
      'src/g/folder/index.ts': 'export {};',
      'src/g/folder/other.ts': 'export {};',
      'node_modules/plain/package.json': '{"name":"plain"}',
    });
  });

  it('sees its own modules in `require.cache`, and loads them again after a delete', async () => {
    await same({
      'src/g2/main.ts': `const first = require('./counter');
        const file = require.resolve('./counter');
        const cached = require.cache[file];
        const before = [cached?.id === file, cached?.exports === first, file in require.cache];
        delete require.cache[file];
        const second = require('./counter');
        export const result = [before, first === second, second.count, require('./counter') === second];`,
      'src/g2/counter.ts':
        'const g = globalThis as any; g.g2 = (g.g2 ?? 0) + 1; exports.count = g.g2;',
    });
  });

  it('throws the error of Node when a required module is missing', async () => {
    await same({
      'src/h/main.ts': `export const result = () => {
          try { require('./missing'); } catch (error: any) { return [error.code, error.message.split('\\n').slice(0, 3)]; }
        };`,
    });
  });

  it('lets a module declare its own `require`', async () => {
    expect(
      await project.run({
        'src/i/main.ts': `import { createRequire } from 'node:module';
          import { dirname } from 'node:path';
          import { fileURLToPath } from 'node:url';
          const require = createRequire(import.meta.url);
          const __dirname = dirname(fileURLToPath(import.meta.url));
          export const result = [require('./other').value, require('plain').name, __dirname];`,
        'src/i/other.ts': 'export const value = 1;',
      }),
    ).toEqual([1, 'plain', `${project.root}/src/i`]);
  });

  it('runs scripts in sloppy mode as Node does, and TypeScript in strict mode', async () => {
    await same({
      'src/j/main.ts': `import sloppy from './sloppy.js'; import strict from './strict.js'; import typed from './typed';
        export const result = [sloppy(), strict(), typed()];`,
      'src/j/sloppy.js': 'module.exports = function () { return typeof this; };',
      'src/j/strict.js': `'use strict'; module.exports = function () { return typeof this; };`,
      'src/j/typed.ts': 'module.exports = function () { return typeof this; };',
    });
  });
});

describe('order of evaluation', () => {
  it('is that of CommonJS in a cycle', async () => {
    expect(
      await same({
        'src/k/main.ts': `import './log'; import { quote } from './quote'; import { message } from './message';
          export const result = [quote(), message(), (globalThis as any).order];`,
        'src/k/log.ts': '(globalThis as any).order = [];',
        'src/k/quote.ts': `import { message } from './message'; (globalThis as any).order.push('quote');
          export function quote() { return 'quote of ' + message.name; }`,
        'src/k/message.ts': `import { quote } from './quote'; (globalThis as any).order.push('message', typeof quote);
          export function message() { return 'message of ' + quote.name; }`,
      }),
    ).toEqual(['quote of message', 'message of quote', ['message', 'function', 'quote']]);
  });

  it('lets models relate to each other in a cycle', async () => {
    expect(
      await same({
        'src/k2/main.ts': `import Quote from './quote'; import Message from './message';
          const related = (model: any, field: string) => model.schema[field].parse(field).entity();
          export const result = [related(Quote, 'messages') === Message, related(Message, 'quote') === Quote, Quote.name, Message.name];`,
        'src/k2/quote.ts': `import { model } from '@medusajs/framework/utils'; import Message from './message';
          const Quote: any = model.define('quote', { id: model.id().primaryKey(), messages: model.hasMany(() => Message) }); export default Quote;`,
        'src/k2/message.ts': `import { model } from '@medusajs/framework/utils'; import Quote from './quote';
          const Message: any = model.define('message', { id: model.id().primaryKey(), quote: model.belongsTo(() => Quote, { mappedBy: 'messages' }) }); export default Message;`,
      }),
    ).toEqual([true, true, 'Quote', 'Message']);
  });

  it('is that of the statements when imports and `export from` mix', async () => {
    await same({
      'src/l/main.ts': `import './log'; export * from './one'; import './two'; export { three } from './three'; import './four';
        export const result = () => (globalThis as any).order2;`,
      'src/l/log.ts': '(globalThis as any).order2 = [];',
      ...Object.fromEntries(
        ['one', 'two', 'three', 'four'].map((name) => [
          `src/l/${name}.ts`,
          `(globalThis as any).order2.push('${name}'); export const ${name} = 1;`,
        ]),
      ),
    });
  });

  it('gives partial exports to `require()` in a cycle', async () => {
    expect(
      await same({
        'src/m/main.ts': `exports.early = 1; const other = require('./other'); exports.result = other.seen;`,
        'src/m/other.ts': `const main = require('./main'); exports.seen = Object.keys(main);`,
      }),
    ).toEqual(['early']);
  });

  it('gives the first exports object to a cycle that began before `module.exports = …`', async () => {
    await same({
      'src/m2/main.ts': `import { late } from './one'; export const result = [late()];`,
      'src/m2/one.ts': `import { two } from './two'; export const late = () => two(); export const name = 'one';`,
      'src/m2/two.ts': `import * as one from './one'; export const two = () => one.name;`,
    });
  });

  it('evaluates once what many loads import at the same time', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    project.write({
      'src/n/shared.ts': `const g = globalThis as any; g.shared = (g.shared ?? 0) + 1; export * from './x'; export const shared = 1;`,
      'src/n/x.ts': `import { y } from './y'; export const x = () => 'x' + typeof y; export class X {}`,
      'src/n/y.ts': `import { x, X } from './x'; export const y = () => x(); export const isSet = () => typeof X;`,
      ...Object.fromEntries(
        names.map((name, index) => [
          `src/n/${name}.ts`,
          `import { shared } from './shared'; import { ${index % 2 ? 'x' : 'y, isSet'} } from './${index % 2 ? 'x' : 'y'}';
           if (shared !== 1 || typeof ${index % 2 ? 'x' : 'isSet'} !== 'function') throw new Error('half-filled');`,
        ]),
      ),
    });
    const files = names.map((name) => `${project.root}/src/n/${name}.ts`);
    expect(await project.runner.ask('together', { files })).toEqual(names.map(() => 'fulfilled'));
    expect(await project.runner.ask('global', { name: 'shared' })).toBe(1);
  });
});
