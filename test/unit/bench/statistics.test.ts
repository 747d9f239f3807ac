import { expect, test } from 'vitest';
import { medianOf, percentileOf, summarize } from '../../../bench/statistics.ts';

test('summarizes what was measured, in whatever order', () => {
  const values = Array.from({ length: 40 }, (_, index) => 40 - index);
  expect(summarize(values)).toEqual({ count: 40, min: 1, median: 20.5, p95: 38, max: 40 });
  expect(summarize([7.12345])).toEqual({ count: 1, min: 7.12, median: 7.12, p95: 7.12, max: 7.12 });
});

test('makes up no numbers', () => {
  expect(summarize([])).toBeNull();
});

test('takes the middle', () => {
  expect(medianOf([9, 1, 5])).toBe(5);
  expect(medianOf([9, 1, 5, 7])).toBe(6);
});

test('takes a percentile that was measured', () => {
  expect(percentileOf([9, 1, 5, 7], 0.5)).toBe(5);
  expect(percentileOf([9, 1, 5, 7], 0.99)).toBe(9);
});
