import { describe, expect, it } from 'vitest';
import { useRunnerProject } from './support/runner-project.ts';

const project = useRunnerProject({
  files: {
    // As `defineConfig` does with the modules of a project.
    'node_modules/medusa-like/index.js': `
      exports.defineConfig = (config) => ({ ...config, names: config.modules.map(({ resolve }) => require(require.resolve(resolve, { paths: [process.cwd()] })).default.service.serviceName) });
      exports.requireFromPackage = (file) => require(file);
      exports.resolveFromPackage = (file, paths) => require.resolve(file, paths && { paths });`,
    'node_modules/medusa-like/package.json': '{"name":"medusa-like","main":"index.js"}',
  },
});

describe("Node's own require", () => {
  it('gets the instance that the runner has, also while the config is evaluated', async () => {
    const files = {
      'medusa-config.ts': `import { defineConfig } from 'medusa-like';
        module.exports = defineConfig({ modules: [{ resolve: './src/modules/brand' }, { resolve: './src/modules/brand/index' }, { resolve: './src/modules/plain.ts' }] });
        module.exports.result = module.exports.names;`,
      'src/modules/brand/index.ts': `import BrandService from './service'; const g = globalThis as any; g.brandRuns = (g.brandRuns ?? 0) + 1; export default { service: BrandService };`,
      'src/modules/brand/service.ts': `export default class BrandService { static serviceName = 'brand'; }`,
      'src/modules/plain.ts': `module.exports = { default: { service: { serviceName: 'plain' } } };`,
    };
    expect(await project.expectSame(files)).toEqual(['brand', 'brand', 'plain']);
    expect(await project.runner.ask('global', { name: 'brandRuns' })).toBe(1);
    expect(
      await project.run({
        'src/same.ts': `import BrandService from './modules/brand/service'; import { requireFromPackage } from 'medusa-like';
          const { default: module } = requireFromPackage(__dirname + '/modules/brand');
          export const result = [module.service === BrandService, new module.service() instanceof BrandService, requireFromPackage(__dirname + '/modules/brand') === require('./modules/brand')];`,
      }),
    ).toEqual([true, true, true]);
    expect(await project.runner.ask('global', { name: 'brandRuns' })).toBe(1);
  });

  it('resolves folders and paths without extension', async () => {
    await project.expectSame({
      'src/resolve/main.ts': `import { resolveFromPackage } from 'medusa-like';
        const folder = __dirname;
        export const result = [resolveFromPackage(folder), resolveFromPackage(folder + '/folder'), resolveFromPackage('./src/resolve/folder', [process.cwd()]), resolveFromPackage(folder + '/main'), resolveFromPackage(folder + '/data'), resolveFromPackage(folder + '/view')];`,
      'src/resolve/index.ts': 'export {};',
      'src/resolve/folder/index.ts': 'export {};',
      'src/resolve/data.json': '{}',
      'src/resolve/view.tsx': 'export {};',
    });
  });

  it('gives the new version after a reload, and the previous one after a rollback', async () => {
    const read = () => project.runner.ask('run', { file: `${project.root}/src/reload/main.ts` });
    await project.run({
      'src/reload/main.ts': `import { requireFromPackage } from 'medusa-like'; export const result = () => requireFromPackage(__dirname + '/value').value;`,
      'src/reload/value.ts': 'export const value = 1;',
    });
    await project.beginReload({ 'src/reload/value.ts': 'export const value = 20;' });
    expect(await read()).toBe(20);
    await project.runner.ask('rollback');
    expect(await read()).toBe(1);
    await project.beginReload({ 'src/reload/value.ts': 'export const value = 300;' });
    await project.runner.ask('commit');
    expect(await read()).toBe(300);
  });

  it('reports files that Node loads by itself', async () => {
    await project.run({
      'src/native/main.ts': `import { a } from './a.cjs'; export const result = a;`,
      'src/native/a.cjs': `exports.a = require('./b.cjs').b;`,
      'src/native/b.cjs': 'exports.b = 1;',
    });
    const { natives } = await project.runner.ask<{ natives: string[] }>('report');
    expect(natives).toContain(`${project.root}/src/native/a.cjs`);
    expect(natives).toContain(`${project.root}/src/native/b.cjs`);
    expect(natives.filter((file) => file.includes('/node_modules/'))).toEqual([]);
  });

  it('says how to load a module with top-level await', async () => {
    await expect(
      project.run({
        'src/await/main.ts': `import { requireFromPackage } from 'medusa-like'; export const result = () => requireFromPackage(__dirname + '/awaiting');`,
        'src/await/awaiting.ts': 'export const x = await 1;',
      }),
    ).rejects.toMatchObject({ code: 'ERR_REQUIRE_ASYNC_MODULE' });
  });

  it('gives an object that is being filled in a cycle', async () => {
    expect(
      await project.run({
        'src/cycle/main.ts': `import { requireFromPackage } from 'medusa-like'; export const first = 1; export const seen = requireFromPackage(__dirname + '/other').seen; export const result = seen;`,
        'src/cycle/other.ts': `import { requireFromPackage } from 'medusa-like'; export const seen = requireFromPackage(__dirname + '/main').first;`,
      }),
    ).toBe(1);
  });
});

describe('a service that looks for its own files', () => {
  const models = {
    'src/modules/scan/models/brand.ts': `import { model } from '@medusajs/framework/utils'; export const Brand = model.define('brand', { id: model.id().primaryKey() });`,
    'src/modules/scan/models/tag.ts': `import { model } from '@medusajs/framework/utils'; export default model.define('tag', { id: model.id().primaryKey() });`,
    'src/modules/scan/models/index.ts': `export * from './brand';`,
  };

  it('finds its models through `defineJoinerConfig`, which asks who called it', async () => {
    expect(
      await project.expectSame({
        'src/modules/scan/joiner-config.ts': `import { defineJoinerConfig } from '@medusajs/framework/utils';
          class PlainService { __joinerConfig() { return defineJoinerConfig('scan'); } }
          export const result = () => { const { alias, linkableKeys, primaryKeys } = new PlainService().__joinerConfig() as any; return [alias.map((item: any) => item.name), linkableKeys, primaryKeys]; };`,
        ...models,
      }),
    ).toEqual([
      [
        ['brand', 'brands'],
        ['tag', 'tags'],
      ],
      { brand_id: 'Brand', tag_id: 'Tag' },
      ['id'],
    ]);
  });

  it('finds services and models by a scan of its folder', async () => {
    expect(
      await project.expectSame({
        'src/modules/scan/service.ts': `import { readdirSync } from 'node:fs'; import { join } from 'node:path';
          export const result = () => ['models', 'services'].map((folder) => readdirSync(join(__dirname, folder)).sort().flatMap((file) => Object.values(require(join(__dirname, folder, file))).map((item: any) => item.name)));`,
        'src/modules/scan/services/one.ts':
          'export class OneService {} export default class TwoService {}',
        'src/modules/scan/services/three.ts': 'export class ThreeService {}',
        ...models,
      }),
    ).toEqual([
      ['Brand', 'Brand', 'Tag'],
      ['OneService', 'TwoService', 'ThreeService'],
    ]);
  });

  it('is told its own path by `getCallerFilePath`', async () => {
    expect(
      await project.expectSame({
        'src/modules/scan/caller.ts': `import { getCallerFilePath } from '@medusajs/framework/utils';
          const atTop = getCallerFilePath(1);
          export const result = () => [atTop, getCallerFilePath(1)];`,
      }),
    ).toEqual(new Array(2).fill(`${project.root}/src/modules/scan/caller.ts`));
  });
});
