import { expect, test } from 'vitest';
import { parseBenchOptions, RESULTS, SUITES } from '../../../bench/bench-options.ts';

const parse = (...args: string[]) => parseBenchOptions(args, () => '/temporary');

test('edits alone are measured unless something else is asked for', () => {
  expect(parse('--')).toMatchObject({ suites: ['edits'], samples: 30, out: RESULTS });
  expect(parse('--', '--all')?.suites).toEqual(SUITES);
  // As `npm run bench:scale -- --sizes 10` puts it.
  expect(parse('--', '--suite', 'scale', '--sizes', '10')).toMatchObject({
    suites: ['scale'],
    sizes: [10],
  });
});

test('quick results never take the place of the ones that are kept', () => {
  expect(parse('--quick', '--all')).toMatchObject({ samples: 1, out: '/temporary' });
  expect(parse('--quick', '--out', '/elsewhere')?.out).toMatch(/elsewhere$/);
});

test('what does not exist is refused, with what there is', () => {
  expect(() => parse('--kinds', 'route,rout')).toThrow(/no `rout`.*route, helper/);
  expect(() => parse('--samples', 'many')).toThrow(/`many` is not a number/);
  expect(() => parse('--sample', '3')).toThrow(/--sample/);
});
