import { expect, it } from 'vitest';
import { createStableFunction } from '../../../../src/app/reload/stable-function.ts';

it('calls the current version, with the same `this` and arguments', () => {
  const stable = createStableFunction(function (this: unknown, ...args: unknown[]) {
    return ['first', this, ...args];
  });
  const { call } = stable;
  expect(Reflect.apply(call, 'this', [1, 2])).toEqual(['first', 'this', 1, 2]);
  stable.current = () => 'second';
  expect(Reflect.apply(call, undefined, [])).toBe('second');
});

it('has the name and length of its first function: Express counts parameters, Medusa reads names', () => {
  const { call } = createStableFunction(function handle(_error, _request, _response, _next) {
    return undefined;
  });
  expect([call.name, call.length]).toEqual(['handle', 4]);
});
