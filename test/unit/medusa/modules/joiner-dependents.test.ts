import { describe, expect, it } from 'vitest';
import { JoinerDependents } from '../../../../src/medusa/modules/joiner-dependents.ts';
import {
  type CustomLink,
  type JoinerConfig,
  ModuleList,
} from '../../../../src/medusa/modules/module-list.ts';
import { MedusaPackages } from '../../../../src/medusa/packages.ts';

interface Loaded {
  configs?: JoinerConfig[];
  links?: CustomLink[];
  modules?: string[];
  flags?: string[];
}

/** What of Medusa's packages is looked at, for an app that has loaded this. */
function createPackages({ configs = [], links = [], modules = [], flags = [] }: Loaded) {
  const MedusaModule = {
    getLoadedModules: () => [],
    getModuleInstance: (key: string) => (modules.includes(key) ? { [key]: {} } : undefined),
    getAllJoinerConfigs: () => configs,
    getJoinerConfig: (key: string) => configs.find(({ serviceName }) => serviceName === key),
    setJoinerConfig: () => {},
    getCustomLinks: () => [...links, 'no function'],
  };
  const FeatureFlag = { isFeatureEnabled: (flag: string) => flags.includes(flag) };
  return Object.assign(Object.create(MedusaPackages.prototype), {
    require: () => ({ MedusaModule, FeatureFlag }),
  }) as MedusaPackages;
}

const BRAND: JoinerConfig = { serviceName: 'brand', linkableKeys: { brand_id: 'Brand' } };

function find(loaded: Loaded, changed: JoinerConfig): string | undefined {
  const packages = createPackages({ configs: [BRAND], ...loaded });
  return new JoinerDependents(packages, new ModuleList(packages)).find(
    new Map([['brand', changed]]),
  );
}

describe('nothing is made of a joiner config', () => {
  it('that nobody links to', () => {
    expect(find({}, { ...BRAND, linkableKeys: {} })).toBeUndefined();
  });

  it('that links see the same of', () => {
    const link: CustomLink = (configs) => configs.map(({ serviceName }) => serviceName);
    const linked = { isLink: true, relationships: [{ serviceName: 'brand' }] };
    const changed = { ...BRAND, primaryKeys: ['code'] };
    expect(find({ configs: [BRAND, linked], links: [link] }, changed)).toBeUndefined();
  });
});

describe('made of joiner configs are', () => {
  it.each(['index', 'caching'])('the %s module', (key) => {
    expect(find({ modules: [key] }, BRAND)).toBe(`the ${key} module`);
  });

  it('fields of a feature', () => {
    expect(find({ flags: ['rbac_filter_fields'] }, BRAND)).toBe('the feature `rbac_filter_fields`');
  });

  it('the config, for a service of another name', () => {
    expect(find({}, { ...BRAND, serviceName: 'label' })).toBe('the config');
  });

  it.each<[string, JoinerConfig]>([
    ['a link', { isLink: true, relationships: [{ serviceName: 'brand' }] }],
    ['an extension', { extends: [{ serviceName: 'brand' }] }],
    [
      'an extension by',
      { extends: [{ serviceName: 'a', relationship: { serviceName: 'brand' } }] },
    ],
  ])('%s of the module', (_, linked) => {
    expect(find({ configs: [BRAND, linked] }, { ...BRAND, linkableKeys: {} })).toBe('its links');
    expect(find({ configs: [BRAND, linked] }, { ...BRAND, schema: 'type Brand' })).toBe(
      'its links',
    );
  });

  it('a link of the project that computes another definition, which is then as it was', () => {
    const seen: (string[] | undefined)[] = [];
    const link: CustomLink = ([brand]) => {
      seen.push(brand?.primaryKeys);
      return brand?.primaryKeys;
    };
    expect(find({ links: [link] }, { ...BRAND, primaryKeys: ['code'] })).toBe('its links');
    expect(seen).toEqual([undefined, ['code'], undefined]);
  });
});

it('names what of Medusa is not there', () => {
  const packages = createPackages({});
  packages.require = () => ({ MedusaModule: { getLoadedModules: () => [] } });
  expect(() => new ModuleList(packages)).toThrow('MedusaModule.getModuleInstance');
});
