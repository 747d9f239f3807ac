import { describe, expect, it } from 'vitest';
import { ModulesReloader } from '../../../../src/app/reloaders/modules.ts';
import type { JoinerConfigs } from '../../../../src/medusa/modules/joiner-configs.ts';
import type { JoinerConfig } from '../../../../src/medusa/modules/module-list.ts';
import { project, ROOT, takeLines } from '../support/memory-app.ts';
import type { Files } from '../support/memory-host.ts';

const MODULE = 'src/modules/brand/index.ts';
const SERVICE = 'src/modules/brand/service.ts';
const PROVIDER = 'src/providers/mail/index.ts';

type Service = Record<string, () => unknown>;
interface ServiceFile {
  service?: new (...args: unknown[]) => Service;
  services?: (new (...args: unknown[]) => Service)[];
}

/** A module of one service, which says its version. */
const service = (text: string, { name = 'brand', more = '' } = {}) => `
  export default class BrandService {
    say() { return '${text}'; }
    __joinerConfig() { return { serviceName: '${name}' }; }
    ${more}
  }`;
const files = (text: string): Files => ({
  [MODULE]: `import service from './service'; export default { service };`,
  [SERVICE]: service(text),
});

/** Medusa's part: loads the file, constructs its service, and sets properties on that. */
async function moduleProject(sources: Files, { path = MODULE, dependent = '' } = {}) {
  const prepared: ReadonlyMap<string, JoinerConfig>[] = [];
  const joinerConfigs = {
    dependent: () => dependent || undefined,
    prepare: (next: ReadonlyMap<string, JoinerConfig>) => () => void prepared.push(next),
  } as unknown as JoinerConfigs;
  const app = await project(sources, { reloaders: [new ModulesReloader(ROOT, joinerConfigs)] });
  const { default: file } = (await app.load(path)) as { default: ServiceFile };
  const [Class] = file.services ?? [file.service];
  const instance = Class ? new Class({}) : {};
  Object.assign(instance, { __definition: { key: 'brand', isQueryable: true } });
  Object.assign(instance, { __joinerConfig: { serviceName: 'brand', databaseClientUrl: 'url' } });
  app.takeEvaluated();
  return Object.assign(app, { instance, prepared });
}

describe('the service of a module', () => {
  it('is new behind the instance that Medusa has', async () => {
    const app = await moduleProject(files('old'));
    expect(await app.save({ [SERVICE]: service('new') })).toMatchObject({
      resources: ['module brand'],
    });
    expect(app.instance.say?.()).toBe('new');
    expect(app.prepared).toEqual([]);
  });

  it('stays if the constructor of the next one throws', async () => {
    const app = await moduleProject(files('old'));
    const broken = service('new', { more: `constructor() { throw new Error('oops'); }` });
    expect(await app.save({ [SERVICE]: broken })).toMatchObject({ type: 'kept-previous' });
    expect(app.instance.say?.()).toBe('old');
    await app.save({ [SERVICE]: service('mended') });
    expect(app.instance.say?.()).toBe('mended');
  });

  it('ends by its hooks once the new one serves, and the new one starts by its own', async () => {
    const hooked = (text: string) =>
      service(text, {
        more: `__hooks = {
          onApplicationStart: () => log('${text} starts'),
          onApplicationShutdown: () => { log('${text} ends'); throw new Error('${text} is stuck'); },
        };`,
      });
    const app = await moduleProject({ ...files('old'), [SERVICE]: hooked('old') });
    expect(await app.save({ [SERVICE]: hooked('new') })).toMatchObject({ type: 'reloaded' });
    expect(takeLines()).toEqual(['old ends', 'new starts']);
    expect(app.errors).toMatchObject([{ message: 'old is stuck' }]);
  });

  it.each([
    ['is no module any more', `export default {};`, 'module-not-loaded'],
    [
      'has a loader now',
      `import service from './service'; export default { service, loaders: [() => {}] };`,
      'module-parts-changed',
    ],
  ])('restarts the app if the file %s', async (_what, source, type) => {
    const app = await moduleProject(files('old'));
    expect(await app.save({ [MODULE]: source })).toEqual({
      type: 'restart-needed',
      reason: { type, module: 'brand' },
    });
    expect(app.instance.say?.()).toBe('old');
  });
});

describe('a joiner config', () => {
  it('that is different is put in place with the service, completed as Medusa does', async () => {
    const app = await moduleProject(files('old'));
    await app.save({ [SERVICE]: service('new', { name: 'label' }) });
    expect(app.prepared.map((next) => next.get('brand'))).toMatchObject([
      { serviceName: 'label', primaryKeys: ['id'], databaseClientUrl: 'url' },
    ]);
    expect(app.instance.__joinerConfig).toMatchObject({ serviceName: 'label' });
    // From then on, the next one is compared with this one.
    await app.save({ [SERVICE]: service('newer', { name: 'label' }) });
    expect(app.prepared).toHaveLength(1);
  });

  it('that something else is built on restarts the app', async () => {
    const app = await moduleProject(files('old'), { dependent: 'its links' });
    expect(await app.save({ [SERVICE]: service('new', { name: 'label' }) })).toEqual({
      type: 'restart-needed',
      reason: { type: 'joiner-config-in-use', module: 'brand', dependent: 'its links' },
    });
  });
});

describe('a provider', () => {
  const provider = (text: string, identifier = 'mail') => ({
    [PROVIDER]: `export default { services: [class Mail { static identifier = '${identifier}'; say() { return '${text}'; } }] };`,
  });

  it('has its service replaced, and restarts the app under another identity', async () => {
    const app = await moduleProject(provider('old'), { path: PROVIDER });
    expect(await app.save(provider('new'))).toMatchObject({ resources: ['provider mail'] });
    expect(app.instance.say?.()).toBe('new');
    expect(await app.save(provider('newer', 'post'))).toEqual({
      type: 'restart-needed',
      reason: { type: 'provider-identity', provider: 'mail' },
    });
  });
});

it('a file that does not belong to a module is left as it is', async () => {
  const app = await moduleProject(files('old'));
  await app.host.write({ 'src/lib/x.ts': `export default { service: class {} };` });
  expect((await app.load('src/lib/x.ts')).default).toBe(app.exportsOf('src/lib/x.ts')?.default);
});
