import { describe, expect, it } from 'vitest';
import { sameExport } from '../../../../src/app/reload/same-exports.ts';
import { sameStructure } from '../../../../src/shared/same-structure.ts';

const f = () => 1;
class Service {
  version = 1;
}
/** As Medusa's `Module` makes it: the joiner config is read from the prototype. */
function medusaModule(serviceName: string, linkable: object) {
  class Service {
    __joinerConfig() {
      return { serviceName };
    }
  }
  return { service: Service, linkable };
}

describe('an export is the same', () => {
  it.each<[string, unknown, unknown]>([
    ['as the same primitive', 'a', 'a'],
    ['as NaN', Number.NaN, Number.NaN],
    ['as the very same function', f, f],
    ['as data of the same content, in any order', { a: 1, b: [{ c: 2 }] }, { b: [{ c: 2 }], a: 1 }],
    ['as data without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      'as a Medusa module that looks the same from outside',
      medusaModule('brand', { a: 1 }),
      medusaModule('brand', { a: 1 }),
    ],
  ])('%s', (_how, before, after) => {
    expect(sameExport(before, after)).toBe(true);
  });
});

describe('an export is different', () => {
  it.each<[string, unknown, unknown]>([
    ['as another primitive', 1, '1'],
    ['as a function of the same source, which may see other things', () => 1, () => 1],
    ['as data of which some is missing', { a: 1, b: undefined }, { a: 1 }],
    ['as data with more', { a: 1 }, { a: 1, b: undefined }],
    ['as data under other names', { a: undefined }, { b: undefined }],
    ['as a list in the place of an object', { 0: 'a' }, ['a']],
    ['as data with a function in it', { a: () => 1 }, { a: () => 1 }],
    ['as an instance, which may hold anything', new Map(), new Map()],
    ['as null', null, {}],
    ['as a Medusa module of another name', medusaModule('brand', {}), medusaModule('label', {})],
    [
      'as a Medusa module with other links',
      medusaModule('brand', { a: 1 }),
      medusaModule('brand', { a: 2 }),
    ],
    ['as no Medusa module any more', medusaModule('brand', {}), { service: 1, linkable: {} }],
  ])('%s', (_how, before, after) => {
    expect(sameExport(before, after)).toBe(false);
  });
});

describe('a Medusa module', () => {
  const cyclic = (name: string) => {
    const node: Record<string, unknown> = { name };
    node.self = node;
    return node;
  };

  it.each<[string, unknown, unknown]>([
    ['functions of the same source', { a: () => 1 }, { a: () => 1 }],
    ['what refers to itself', cyclic('a'), cyclic('a')],
    ['instances of the same content', new Service(), new Service()],
  ])('is the same with %s', (_what, before, after) => {
    expect(sameStructure(before, after)).toBe(true);
  });

  it.each<[string, unknown, unknown]>([
    ['functions of another source', { a: () => 1 }, { a: () => 2 }],
    ['something that refers to itself and has another name', cyclic('a'), cyclic('b')],
    ['null', null, {}],
    ['a function in the place of data', {}, f],
    ['a list of another length', [1], [1, 2]],
  ])('is different with %s', (_what, before, after) => {
    expect(sameStructure(before, after)).toBe(false);
  });
});
