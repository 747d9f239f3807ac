import { expect, it } from 'vitest';
import type { JoinedSchema } from '../../../../src/medusa/modules/joined-schema.ts';
import { StableQuery } from '../../../../src/medusa/modules/stable-query.ts';
import { MedusaPackages } from '../../../../src/medusa/packages.ts';

type Options = Record<string, unknown>;

/** As Medusa makes `query`: a function with methods, here ones that tell what it was made of. */
function setUp(isSeparate: boolean) {
  const exports = {
    createQuery: (options: Options) =>
      Object.assign(() => options, { graph: (what: string) => [what, options] }),
  };
  const packages = Object.assign(Object.create(MedusaPackages.prototype), {
    has: () => isSeparate,
    require: (name: string) => {
      expect(name).toBe(isSeparate ? '@medusajs/query' : '@medusajs/modules-sdk');
      return exports;
    },
  }) as MedusaPackages;
  const schema = { relationsOf: (typeMap: string) => `relations of ${typeMap}` };
  const stable = new StableQuery(packages, schema as unknown as JoinedSchema);
  return { stable, create: (options: Options) => exports.createQuery(options) };
}

it('changes behind who holds it, and only when that is committed', () => {
  const { stable, create } = setUp(true);
  const query = create({ modulesLoaded: ['old'], relationMap: 'old' });
  const { graph } = query;
  const commit = stable.prepare(['new'] as never, undefined);
  expect(query()).toEqual({ modulesLoaded: ['old'], relationMap: 'old' });
  commit();
  expect(query()).toEqual({ modulesLoaded: ['new'], relationMap: 'old' });
  expect(graph('brand')).toEqual(['brand', { modulesLoaded: ['new'], relationMap: 'old' }]);
  stable.prepare(['newer'] as never, 'types')();
  expect(query()).toEqual({ modulesLoaded: ['newer'], relationMap: 'relations of types' });
});

it('makes a remote query anew, where Medusa has one', () => {
  class RemoteQuery {
    readonly made: Options;
    readonly customRemoteFetchData = 'fetch';
    readonly entitiesMap: unknown;
    constructor(options: Options) {
      this.made = options;
      this.entitiesMap = options.entitiesMap;
    }
  }
  const { stable, create } = setUp(false);
  const query = create({ remoteQuery: new RemoteQuery({ entitiesMap: 'old' }) });
  stable.prepare(['new'] as never, undefined)();
  expect((query().remoteQuery as RemoteQuery).made).toEqual({
    modulesLoaded: ['new'],
    customRemoteFetchData: 'fetch',
    entitiesMap: 'old',
  });
  stable.prepare(['newer'] as never, 'types')();
  expect(query().remoteQuery).toMatchObject({ entitiesMap: 'types' });
});

it('is not there before the modules are', () => {
  const { stable } = setUp(true);
  expect(() => stable.prepare([], undefined)).toThrow('Expected the modules to be loaded');
});
