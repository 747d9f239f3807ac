import { expect, it } from 'vitest';
import { readRoutes } from '../../../../src/medusa/http/route-file.ts';

const GET = () => {};
const POST = () => {};

it('takes the methods of Medusa, and only functions', () => {
  const read = readRoutes('src/api/store/brands/route.ts', { GET, POST, get: GET, PUT: 1 });
  expect([...(read?.functions ?? [])]).toEqual([
    ['GET', GET],
    ['POST', POST],
  ]);
});

it.each([
  ['src/api/route.ts', 'route GET /'],
  ['src/api/store/brands/route.js', 'route GET /store/brands'],
  ['src/api/store/brands/[id]/[part]/route.ts', 'route GET /store/brands/:id/:part'],
  ['src/api/store/route/route.ts', 'route GET /store/route'],
])('%s is called %s', (path, resource) => {
  expect(readRoutes(path, { GET })?.resources).toEqual([resource]);
});

it('has the same shape whatever the functions do, in whichever order', () => {
  const shapeOf = (exports: object) => readRoutes('src/api/route.ts', { ...exports })?.shape;
  expect(shapeOf({ GET, POST })).toBe(shapeOf({ POST: GET, GET: POST }));
  expect(shapeOf({ GET })).not.toBe(shapeOf({ GET, POST }));
  expect(shapeOf({ GET, AUTHENTICATE: true, CORS: true })).toBe(shapeOf({ GET }));
  expect(shapeOf({ GET, AUTHENTICATE: false })).not.toBe(shapeOf({ GET }));
  expect(shapeOf({ GET, CORS: false })).not.toBe(shapeOf({ GET }));
});

it('puts others in the place of its functions, and leaves the rest', () => {
  const read = readRoutes('src/api/route.ts', { GET, AUTHENTICATE: false });
  expect(read?.replace((key) => `stable ${key}`)).toEqual({
    GET: 'stable GET',
    AUTHENTICATE: false,
  });
});

it.each(['src/api/_hidden/route.ts', 'src/api/store/brands.ts', 'src/lib/route.ts'])(
  'leaves %s alone',
  (path) => {
    expect(readRoutes(path, { GET })).toBeUndefined();
  },
);
