import { expect, it } from 'vitest';
import { LoadedModule } from '../../../../src/medusa/modules/loaded-module.ts';
import {
  type ModuleExports,
  readModuleExports,
} from '../../../../src/medusa/modules/module-exports.ts';

class First {
  say() {
    return 'first';
  }
}
class Second {
  say() {
    return 'second';
  }
}

const read = (file: object): ModuleExports => {
  const exports = readModuleExports({ default: file });
  if (!exports) {
    throw new Error('expected the exports of a module or a provider');
  }
  return exports;
};

const load = (file: object): LoadedModule =>
  new LoadedModule({ file: '/shop/src/modules/brand/index.ts', name: 'brand' }, read(file));

type Loader = (args: {
  container: { register(name: string, resolver: object): unknown };
}) => unknown;

/** As much of a container of Medusa's as loaders use. */
function createContainer() {
  const registrations: Record<string, object> = {};
  const container = {
    cradle: {},
    cache: new Map(),
    get registrations() {
      return { ...registrations };
    },
    register(name: string, resolver: object) {
      registrations[name] = resolver;
      return container;
    },
    createScope: createContainer,
    registerAdd: () => container,
  };
  return container;
}

/** Medusa's part: loads the module, and constructs its service. */
async function boot(loaded: LoadedModule, file: object) {
  const container = createContainer();
  const { default: module } = loaded.standIn(read(file)) as {
    default: { service: new (cradle: object) => First; loaders?: ((args: object) => unknown)[] };
  };
  for (const loader of module.loaders ?? []) {
    await loader({ container });
  }
  const service = new module.service(container.cradle);
  Object.assign(service, { __definition: { key: 'brand', isQueryable: true } });
  return { container, service };
}

it('puts a new class behind the service that Medusa holds, with what Medusa wrote on it', async () => {
  const loaded = load({ service: First });
  const { service } = await boot(loaded, { service: First });
  expect(service.say()).toBe('first');

  const next = read({ service: Second });
  const joinerConfigs = loaded.changedJoinerConfigs(next);
  const [replacement] = loaded.replaceServices(next, { containers: [], joinerConfigs });
  expect(service.say()).toBe('first');
  replacement?.commit();
  expect(service.say()).toBe('second');
  expect(service).toMatchObject({ __definition: { key: 'brand' } });
});

it('constructs no service anew whose class is the same', async () => {
  const loaded = load({ service: First });
  await boot(loaded, { service: First });
  const options = { containers: [], joinerConfigs: new Map() };
  expect(loaded.replaceServices(read({ service: First }), options)).toEqual([]);
});

it('completes a joiner config that has changed as Medusa does', async () => {
  class Linked extends First {
    __joinerConfig() {
      return { primaryKeys: ['code'] };
    }
  }
  const loaded = load({ service: First });
  await boot(loaded, { service: First });
  expect(loaded.changedJoinerConfigs(read({ service: Second })).size).toBe(0);
  expect([...loaded.changedJoinerConfigs(read({ service: Linked }))]).toEqual([
    ['brand', { serviceName: 'brand', primaryKeys: ['code'], databaseClientUrl: undefined }],
  ]);
});

it('cannot take other parts than those that Medusa has loaded', () => {
  const loader = () => {};
  const loaded = load({ service: First, loaders: [loader] });
  expect(loaded.obstacle(read({ service: Second, loaders: [() => {}] }))).toBeUndefined();
  expect(loaded.obstacle(read({ service: Second }))).toEqual({
    type: 'module-parts-changed',
    module: 'brand',
  });
});

it('cannot take a provider of another identity', () => {
  const provide = (identifier: string) => ({
    services: [Object.assign(class extends First {}, { identifier })],
  });
  const loaded = load(provide('sms'));
  expect(loaded.resource).toBe('provider brand');
  expect(loaded.obstacle(read(provide('sms')))).toBeUndefined();
  expect(loaded.obstacle(read(provide('mail')))).toEqual({
    type: 'provider-identity',
    provider: 'brand',
  });
});

it('runs loaders from the first one that changed on, apart from what serves', async () => {
  const ran: string[] = [];
  const loader =
    (name: string): Loader =>
    ({ container }) => {
      ran.push(name);
      container.register(name, {});
    };
  const kept = loader('kept');
  const before = { service: First, loaders: [kept, loader('a'), loader('b')] };
  const loaded = load(before);
  const { container } = await boot(loaded, before);
  expect(ran).toEqual(['kept', 'a', 'b']);

  const known = container.registrations.a;
  const after = read({ service: First, loaders: [kept, loader('a'), loader('b')] });
  const { containers, obstacle } = await loaded.stageLoaders(after);
  expect(ran.slice(3)).toEqual(['a', 'b']);
  expect(obstacle).toBeUndefined();
  expect(containers.map(({ names }) => names)).toEqual([['a', 'b']]);
  expect(container.registrations.a).toBe(known);
});

it('says which registration a loader does not make any more', async () => {
  const loader: Loader = ({ container }) => container.register('a', {});
  const before = { service: First, loaders: [loader] };
  const loaded = load(before);
  await boot(loaded, before);
  const { obstacle } = await loaded.stageLoaders(read({ service: First, loaders: [() => {}] }));
  expect(obstacle).toEqual({ type: 'module-loader-misses', module: 'brand', missing: ['a'] });
});

it('is not what a file of something else exports', () => {
  expect(readModuleExports({ default: { service: 'brand' } })).toBeUndefined();
  expect(readModuleExports({ GET: () => {} })).toBeUndefined();
});
