import { expect, it } from 'vitest';
import { readMiddlewares } from '../../../../src/medusa/http/middleware-file.ts';

const FILE = 'src/api/middlewares.ts';
const first = () => {};
const second = () => {};
const errorHandler = () => {};

const shapeOf = (config: object) => readMiddlewares(FILE, { default: config })?.shape;

it('has the functions by their places', () => {
  const routes = [{ matcher: '/a', middlewares: [first, second] }, { matcher: '/b' }];
  const read = readMiddlewares(FILE, { default: { routes, errorHandler } });
  expect([...(read?.functions ?? [])]).toEqual([
    ['0.0', first],
    ['0.1', second],
    ['errorHandler', errorHandler],
  ]);
  expect(read?.replace((key) => key)).toEqual({
    default: {
      routes: [{ matcher: '/a', middlewares: ['0.0', '0.1'] }, { matcher: '/b' }],
      errorHandler: 'errorHandler',
    },
  });
});

it('has the same shape as long as only bodies change', () => {
  const config = { routes: [{ matcher: '/a', middlewares: [first] }] };
  expect(shapeOf(config)).toBe(shapeOf({ routes: [{ matcher: '/a', middlewares: [second] }] }));
  for (const other of [
    { routes: [{ matcher: '/b', middlewares: [first] }] },
    { routes: [{ matcher: '/a', methods: ['GET'], middlewares: [first] }] },
    { routes: [{ matcher: '/a', middlewares: [first, second] }] },
    { routes: [{ matcher: /a/, middlewares: [first] }] },
    { ...config, errorHandler },
    // Express tells a handler of errors by its four parameters.
    { routes: [{ matcher: '/a', middlewares: [(_: 1, __: 2, ___: 3, ____: 4) => {}] }] },
  ]) {
    expect(shapeOf(other)).not.toBe(shapeOf(config));
  }
});

it('has another shape each time if it validates more data, which cannot be compared', () => {
  const config = { routes: [{ matcher: '/a', additionalDataValidator: {} }] };
  expect(shapeOf(config)).not.toBe(shapeOf(config));
});

it('reads a file that exports nothing of use', () => {
  expect(readMiddlewares(FILE, {})?.functions.size).toBe(0);
  expect(readMiddlewares(FILE, { default: { routes: 'none' } })?.functions.size).toBe(0);
});

it('leaves other files alone', () => {
  expect(readMiddlewares('src/api/store/middlewares.ts', { default: {} })).toBeUndefined();
});
