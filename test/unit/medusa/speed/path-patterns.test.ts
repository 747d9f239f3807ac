import { createRequire } from 'node:module';
import { expect, test, vi } from 'vitest';
import { remembering, rememberingParsed } from '../../../../src/medusa/speed/path-patterns.ts';

const fromExpress = createRequire(createRequire(import.meta.url).resolve('express'));
const compile = fromExpress('path-to-regexp') as Parameters<typeof remembering>[0];

test('a path is compiled once for the same options, and its keys are of each caller alone', () => {
  const original = vi.fn(compile);
  const remembered = remembering(original);
  const [first, second]: { name: string | number }[][] = [[], []];
  const regexp = remembered('/store/:id', first, { end: true, strict: false, sensitive: false });
  expect(remembered('/store/:id', second, { end: true, strict: false, sensitive: false })).toBe(
    regexp,
  );
  expect(original).toHaveBeenCalledTimes(1);
  expect(second).toEqual(first);
  expect(second).toMatchObject([{ name: 'id' }]);
  expect(second?.[0]).not.toBe(first?.[0]);
});

test('other options are another pattern', () => {
  const remembered = remembering(compile);
  const whole = remembered('/store', [], { end: true });
  const begin = remembered('/store', [], { end: false });
  expect([whole.test('/store/x'), begin.test('/store/x')]).toEqual([false, true]);
  expect(remembered('/STORE', [], { sensitive: true }).test('/store')).toBe(false);
});

test('what is no plain path goes to the original', () => {
  const original = vi.fn(compile);
  const remembered = remembering(original);
  remembered(/^\/a/, []);
  remembered(['/a', '/b'], []);
  remembered('/a', [{ name: 'there already' }]);
  remembered('/a');
  expect(original).toHaveBeenCalledTimes(4);
});

test('the same for the finder of Medusa', () => {
  const original = vi.fn((path: unknown) => ({
    regexp: new RegExp(String(path)),
    keys: [{ name: 'id' }],
  }));
  const remembered = rememberingParsed(original);
  const [first, second] = [remembered('/a'), remembered('/a')];
  expect(second).toEqual(first);
  expect(second.regexp).toBe(first.regexp);
  expect(second.keys).not.toBe(first.keys);
  remembered('/a', {});
  expect(original).toHaveBeenCalledTimes(2);
});
