import { describe, expect, it } from 'vitest';
import { modulesInCycles } from '../../../../src/app/reload/import-cycles.ts';

function cyclesOf(imports: Record<string, string[]>, ids = Object.keys(imports)): string[] {
  return [...modulesInCycles(ids, (id) => imports[id] ?? [])].toSorted();
}

describe('modulesInCycles', () => {
  it('finds none in a diamond', () => {
    expect(cyclesOf({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })).toEqual([]);
  });

  it('finds all modules of a cycle, and none that only leads to it or away from it', () => {
    expect(cyclesOf({ in: ['a'], a: ['b'], b: ['c', 'out'], c: ['a'], out: [] })).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('finds two cycles that share a module, and one apart', () => {
    expect(cyclesOf({ a: ['b', 'c'], b: ['a'], c: ['a'], x: ['y'], y: ['x'], z: ['a'] })).toEqual([
      'a',
      'b',
      'c',
      'x',
      'y',
    ]);
  });

  it('finds a module that imports itself', () => {
    expect(cyclesOf({ a: ['a'], b: ['a'] })).toEqual(['a']);
  });

  it('leaves out cycles that go through a module that is not given', () => {
    expect(cyclesOf({ a: ['b'], b: ['a'] }, ['a'])).toEqual([]);
  });
});
