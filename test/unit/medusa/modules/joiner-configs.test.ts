import { beforeEach, describe, expect, it } from 'vitest';
import { JoinerConfigs } from '../../../../src/medusa/modules/joiner-configs.ts';
import type { JoinerConfig } from '../../../../src/medusa/modules/module-list.ts';
import { fakePackages } from '../../app/support/fake-packages.ts';

interface Options {
  modulesLoaded: { __joinerConfig: JoinerConfig }[];
}

/** Joiner configs that Medusa has, by the key of the module. */
let configs: Map<string, JoinerConfig>;
let instances: Record<string, object>;
let customLinks: ((configs: JoinerConfig[]) => unknown)[];
let flags: string[];
let link: object;
let joinerConfigs: JoinerConfigs;
/** As Medusa makes its `query` when it starts. */
let createQuery: (options: object) => (() => unknown) & { graph(): unknown };

beforeEach(() => {
  configs = new Map([
    ['brand', { serviceName: 'brand', linkableKeys: { brand_id: 'Brand' } }],
    ['product', { serviceName: 'product' }],
  ]);
  instances = {};
  customLinks = [];
  flags = [];
  link = { modulesMap: 'old', relationsPairs: 'old', relations: 'old', other: 'kept' };
  const service = (key: string) => ({
    __definition: { key, isQueryable: true },
    get __joinerConfig() {
      return configs.get(key);
    },
  });
  const MedusaModule = {
    getLoadedModules: () => [...configs.keys()].map((key) => ({ [key]: service(key) })),
    getModuleInstance: (key: string) => instances[key],
    getAllJoinerConfigs: () => [...configs.values()],
    getJoinerConfig: (key: string) => configs.get(key),
    setJoinerConfig: (key: string, config: JoinerConfig) => configs.set(key, config),
    getCustomLinks: () => customLinks,
  };
  const namesOf = (options: Options) =>
    options.modulesLoaded.map(
      (one) => one.__joinerConfig?.schema ?? one.__joinerConfig?.serviceName,
    );
  class Link {
    modulesMap: unknown;
    relationsPairs = 'new';
    relations = 'new';
    constructor(services: Options['modulesLoaded']) {
      if (services.some((one) => one.__joinerConfig?.schema === 'broken')) {
        throw new Error('alias is taken');
      }
      this.modulesMap = namesOf({ modulesLoaded: services });
    }
  }
  const query: Record<string, unknown> = {
    createQuery: (options: Options) =>
      Object.assign(() => namesOf(options), { graph: () => ['graph', ...namesOf(options)] }),
  };
  const graphql = {
    cleanGraphQLSchema: (schema: string) => ({ schema }),
    mergeTypeDefs: (schema: string) => schema,
    makeExecutableSchema: () => ({ getTypeMap: () => ({}) }),
    extractRelationsFromGQL: () => 'relations',
  };
  const packages = fakePackages({
    '@medusajs/modules-sdk/dist/medusa-module.js': { MedusaModule },
    '@medusajs/modules-sdk/dist/link.js': { Link },
    '@medusajs/utils/dist/graphql/index.js': graphql,
    '@medusajs/utils/dist/feature-flags/flag-router.js': {
      FeatureFlag: { isFeatureEnabled: (flag: string) => flags.includes(flag) },
    },
    '@medusajs/query/dist/query/query.js': query,
  });
  joinerConfigs = new JoinerConfigs(packages, () => ({ resolve: () => link }) as never);
  createQuery = query.createQuery as typeof createQuery;
});

const next = (config: JoinerConfig) => new Map([['brand', { serviceName: 'brand', ...config }]]);
const SAME = { linkableKeys: { brand_id: 'Brand' } };

describe('what is built on joiner configs, and cannot be built again', () => {
  it.each([
    ['the index module', () => Object.assign(instances, { index: {} }), SAME],
    ['the caching module', () => Object.assign(instances, { caching: {} }), SAME],
    ['the feature `rbac_filter_fields`', () => flags.push('rbac_filter_fields'), SAME],
    ['the config', () => {}, { ...SAME, serviceName: 'label' }],
    [
      'its links',
      () => configs.set('l', { isLink: true, relationships: [{ serviceName: 'brand' }] }),
      { linkableKeys: { label_id: 'Label' } },
    ],
    [
      'its links',
      () => configs.set('l', { extends: [{ serviceName: 'brand' }] }),
      { ...SAME, schema: 'type Brand' },
    ],
    [
      'its links',
      () => customLinks.push((all) => all.map(({ schema }) => schema)),
      { ...SAME, schema: 'x' },
    ],
  ])('is %s', (dependent, prepare, config) => {
    prepare();
    expect(joinerConfigs.dependent(next(config as JoinerConfig))).toBe(dependent);
  });

  it.each<[string, () => void, JoinerConfig]>([
    ['nothing is', () => {}, SAME],
    [
      'links are between others',
      () => configs.set('l', { isLink: true, relationships: [{ serviceName: 'product' }] }),
      {},
    ],
    [
      'links see what has not changed',
      () => customLinks.push((all) => all.map((one) => one.serviceName)),
      SAME,
    ],
  ])('is nothing where %s', (_what, prepare, config) => {
    prepare();
    expect(joinerConfigs.dependent(next(config))).toBeUndefined();
  });

  it('leaves links of the project as they are, which write on what their files export', () => {
    const seen: unknown[] = [];
    customLinks.push((all) => {
      seen.push(all[0]?.schema);
      return all[0]?.schema;
    });
    joinerConfigs.dependent(next({ ...SAME, schema: 'x' }));
    expect(seen).toEqual([undefined, 'x', undefined]);
  });
});

describe('a changed joiner config', () => {
  it('is seen by `query`, by `link` and by Medusa, all from the commit on', () => {
    const query = createQuery({ modulesLoaded: [] });
    const { graph } = query;
    const commit = joinerConfigs.prepare(next({ schema: 'new' }));
    expect([query(), configs.get('brand')?.schema, link]).toMatchObject([
      [],
      undefined,
      { modulesMap: 'old' },
    ]);
    commit();
    // Everybody holds on to what was made first, and to what was taken off it.
    expect(query()).toEqual(['new', 'product']);
    expect(graph()).toEqual(['graph', 'new', 'product']);
    expect(configs.get('brand')?.schema).toBe('new');
    expect(link).toEqual({
      modulesMap: ['new', 'product'],
      relationsPairs: 'new',
      relations: 'new',
      other: 'kept',
    });
  });

  it('is told to the settings, which keep what they have read', () => {
    const told: unknown[] = [];
    const entityDiscoveryService_ = {
      initialize: (all: JoinerConfig[]) => told.push(all[0]?.schema),
    };
    instances.settings = { settings: { entityDiscoveryService_ } };
    createQuery({ modulesLoaded: [] });
    joinerConfigs.prepare(next({ schema: 'new' }))();
    expect(told).toEqual(['new']);
  });

  it('that Medusa could not start with is refused, and nothing has changed', () => {
    const query = createQuery({ modulesLoaded: [] });
    expect(() => joinerConfigs.prepare(next({ schema: 'broken' }))).toThrow('alias is taken');
    expect([query(), configs.get('brand')?.schema]).toEqual([[], undefined]);
  });

  it('needs modules that are loaded', () => {
    expect(() => joinerConfigs.prepare(next({}))).toThrow('Expected the modules to be loaded');
  });
});
