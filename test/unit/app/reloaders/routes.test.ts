import { afterEach, describe, expect, it, vi } from 'vitest';
import { apiProject } from '../support/fake-api.ts';
import { ROOT, takeLines } from '../support/memory-app.ts';
import type { Files } from '../support/memory-host.ts';

const A = 'src/api/a/route.ts';
const B = 'src/api/b/route.ts';
const MIDDLEWARES = 'src/api/middlewares.ts';
const get = (text: string) => `export const GET = (req, res) => res.send('${text}');`;
const FILES: Files = { [A]: get('a'), [B]: get('b') };

describe('the body of a route', () => {
  it('is swapped, and nothing is registered anew', async () => {
    const app = await apiProject(FILES);
    expect(await app.save({ [A]: get('next a') })).toMatchObject({ resources: ['route GET /a'] });
    expect([await app.request('GET', '/a'), await app.request('GET', '/b')]).toEqual([
      'next a',
      'b',
    ]);
    expect(app.builds).toBe(1);
  });

  it('goes on for a request that is in it', async () => {
    const slow = (text: string) =>
      `export const GET = async (req, res) => { await null; res.send('${text}'); };`;
    const app = await apiProject({ [A]: slow('old') });
    const request = app.request('GET', '/a');
    await app.save({ [A]: slow('new') });
    expect([await request, await app.request('GET', '/a')]).toEqual(['old', 'new']);
  });

  it('is swapped if something that it imports has changed', async () => {
    const app = await apiProject({
      [A]: `import { text } from '../../lib/text'; export const GET = (req, res) => res.send(text);`,
      'src/lib/text.ts': `export const text = 'old';`,
    });
    await app.save({ 'src/lib/text.ts': `export const text = 'new';` });
    expect([await app.request('GET', '/a'), app.builds]).toEqual(['new', 1]);
  });

  it('stays when the next one throws, and is swapped by the batch after', async () => {
    const app = await apiProject(FILES);
    expect(await app.save({ [A]: `throw new Error('oops');` })).toMatchObject({
      type: 'kept-previous',
    });
    expect(await app.request('GET', '/a')).toBe('a');
    await app.save({ [A]: get('mended') });
    expect(await app.request('GET', '/a')).toBe('mended');
  });

  it('stays when another part of the batch fails', async () => {
    const app = await apiProject(FILES);
    await app.save({ [A]: get('next'), [B]: `throw new Error('oops');` });
    expect(await app.request('GET', '/a')).toBe('a');
  });
});

describe('the shape of a route', () => {
  it.each([
    ['another method', `${get('a')} export const POST = (req, res) => res.send('posted');`],
    ['another flag', `${get('next')} export const AUTHENTICATE = false;`],
    ['another kind of CORS', `${get('next')} export const CORS = false;`],
  ])('with %s is registered anew, together with the whole API', async (_what, source) => {
    const app = await apiProject(FILES);
    await app.save({ [A]: source });
    expect(app.builds).toBe(2);
    expect(await app.request('GET', '/b')).toBe('b');
  });

  it('is the same if a flag has its default value, or is unknown to Medusa', async () => {
    const app = await apiProject(FILES);
    await app.save({
      [A]: `${get('next')} export const AUTHENTICATE = true; export const other = () => {};`,
    });
    expect([await app.request('GET', '/a'), app.builds]).toEqual(['next', 1]);
  });

  it('has the methods that are exported, and drops those that are gone', async () => {
    const app = await apiProject(FILES);
    const saved = await app.save({ [A]: `export const POST = (req, res) => res.send('posted');` });
    expect(saved).toMatchObject({ resources: ['route POST /a'] });
    expect([await app.request('GET', '/a'), await app.request('POST', '/a')]).toEqual([
      404,
      'posted',
    ]);
  });

  it('names parameters as Medusa does', async () => {
    const app = await apiProject(FILES);
    const saved = await app.save({ 'src/api/shops/[id]/route.ts': get('shop') });
    expect(saved).toMatchObject({ resources: ['route GET /shops/:id'] });
  });

  it('comes with a new file, and goes with a deleted one', async () => {
    const app = await apiProject(FILES);
    await app.save({ 'src/api/c/route.ts': get('c') });
    expect(await app.request('GET', '/c')).toBe('c');
    expect(await app.save({}, { deleted: [A] })).toMatchObject({
      resources: ['route GET /a (removed)'],
    });
    expect([await app.request('GET', '/a'), await app.request('GET', '/c')]).toEqual([404, 'c']);
  });

  it('is gone while `defineFileConfig` switches the file off', async () => {
    const app = await apiProject(FILES);
    await app.save({ [A]: `defineFileConfig({ isDisabled: () => true }); ${get('a')}` });
    expect(await app.request('GET', '/a')).toBe(404);
    await app.save({ [A]: get('back') });
    expect(await app.request('GET', '/a')).toBe('back');
    await app.save({ [A]: get('swapped') });
    expect(app.builds).toBe(3);
  });

  it('that cannot be loaded anew leaves the whole API as it was', async () => {
    const app = await apiProject({ ...FILES, [MIDDLEWARES]: `export default { routes: [] };` });
    const broken = `export default { routes: [{ matcher: '/a', middlewares: ['no function'] }] };`;
    expect(await app.save({ [MIDDLEWARES]: broken, [A]: get('next') })).toMatchObject({
      type: 'kept-previous',
    });
    expect(await app.request('GET', '/a')).toBe('a');
    // A new body is still swapped into the version that serves.
    await app.save({ [MIDDLEWARES]: `export default { routes: [] };` });
    await app.save({ [A]: get('swapped') });
    expect(await app.request('GET', '/a')).toBe('swapped');
  });

  it('is registered anew beside the version that serves, which goes on with its own bodies', async () => {
    const app = await apiProject(FILES);
    const { load } = app;
    let during: Promise<unknown> | undefined;
    app.load = (path) => {
      during ??= app.request('GET', '/a');
      return load.call(app, path);
    };
    await app.save({ [A]: `${get('next')} export const POST = GET;` });
    expect([await during, await app.request('GET', '/a')]).toEqual(['a', 'next']);
  });
});

describe('middlewares', () => {
  const tagging = (tag: string, more = '') => `
    const middleware = (req, res, next) => { log('${tag}'); next(); };
    export default { routes: [{ matcher: '/a', middlewares: [middleware] ${more} }] };`;

  it('have their bodies swapped', async () => {
    const app = await apiProject({ ...FILES, [MIDDLEWARES]: tagging('old') });
    expect(await app.save({ [MIDDLEWARES]: tagging('new') })).toMatchObject({
      resources: ['middlewares'],
    });
    await app.request('GET', '/a');
    expect([takeLines(), app.builds]).toEqual([['new'], 1]);
  });

  it.each([
    ['another matcher', tagging('new').replace('/a', '/b')],
    ['another method', tagging('new', `, method: ['POST']`)],
    ['other methods', tagging('new', `, methods: ['POST']`)],
    ['another body parser', tagging('new', `, bodyParser: false`)],
    ['other policies', tagging('new', `, policies: [{ resource: 'a' }]`)],
    ['a validator, which cannot be compared', tagging('new', `, additionalDataValidator: {}`)],
    ['one more', tagging('new').replace('[middleware]', '[middleware, middleware]')],
    [
      'a handler of errors in its place',
      tagging('new').replace('(req, res, next)', '(error, req, res, next)'),
    ],
    [
      'an error handler',
      tagging('new').replace(/\};$/, ', errorHandler: (error, req, res, next) => {} };'),
    ],
    ['no routes', `export default {};`],
    ['nothing', `export {};`],
  ])('with %s are registered anew', async (_what, source) => {
    const app = await apiProject({ ...FILES, [MIDDLEWARES]: tagging('old') });
    expect(await app.save({ [MIDDLEWARES]: source })).toMatchObject({ type: 'reloaded' });
    expect(app.builds).toBe(2);
  });

  it('with a validator are registered anew each time', async () => {
    const source = tagging('new', `, additionalDataValidator: {}`);
    const app = await apiProject({ ...FILES, [MIDDLEWARES]: source });
    await app.save({ [MIDDLEWARES]: `${source};` });
    expect(app.builds).toBe(2);
  });

  it('have the body of their error handler swapped', async () => {
    const handling = (text: string) => `
      export default { errorHandler: (error, req, res, next) => res.send('${text} ' + error.message) };`;
    const app = await apiProject({
      [A]: `export const GET = () => { throw new Error('oops'); };`,
      [MIDDLEWARES]: handling('old'),
    });
    await app.save({ [MIDDLEWARES]: handling('new') });
    expect([await app.request('GET', '/a'), app.builds]).toEqual(['new oops', 1]);
  });

  it('come and go with their file', async () => {
    const app = await apiProject(FILES);
    await app.save({ [MIDDLEWARES]: tagging('here') });
    await app.request('GET', '/a');
    await app.save({}, { deleted: [MIDDLEWARES] });
    await app.request('GET', '/a');
    expect(takeLines()).toEqual(['here']);
  });
});

describe('the router', () => {
  it('stays between the layers of the app before and after it', async () => {
    const app = await apiProject(FILES, {
      before: (express) =>
        express.use((_: unknown, _response: unknown, next: () => void) => next()),
    });
    app.express.use((_: unknown, response: { send(text: string): void }) => response.send('after'));
    const names = () => app.express.stack.map(({ name }) => name);
    const before = names();
    await app.save({ 'src/api/c/route.ts': get('c') });
    expect(names()).toEqual(before);
    expect([await app.request('GET', '/c'), await app.request('GET', '/none')]).toEqual([
      'c',
      'after',
    ]);
  });

  it('passes errors of layers before it to the error handler of the API, and its own only once', async () => {
    const app = await apiProject(
      {
        [A]: `export const GET = () => { throw new Error('own'); };`,
        [MIDDLEWARES]: `export default { errorHandler: (error, req, res, next) => { log(error.message); next(error); } };`,
      },
      {
        before: (express) =>
          express.use(
            (request: { url: string }, _response: unknown, next: (error?: Error) => void) =>
              next(request.url === '/session' ? new Error('before') : undefined),
          ),
      },
    );
    expect(await app.request('GET', '/session')).toBe('before');
    expect(await app.request('GET', '/a')).toBe('own');
    expect(takeLines()).toEqual(['before', 'own']);
  });

  it('shows its layers to code that names routes for tracing', async () => {
    const app = await apiProject(FILES);
    const layer = app.express.stack.find(({ name }) => name === 'medusaApi') as unknown as {
      handle: { stack: unknown[] };
    };
    expect(layer.handle.stack).toHaveLength(2);
    await app.save({ 'src/api/c/route.ts': get('c') });
    expect(layer.handle.stack).toHaveLength(3);
  });

  it('is not there in an app without an API, where a change does nothing', async () => {
    const app = await apiProject(FILES, { hasApi: false });
    expect(await app.save({ [A]: get('next') })).toMatchObject({ type: 'reloaded', resources: [] });
    expect(app.builds).toBe(0);
    await expect(app.api.build()).rejects.toThrow('Expected the API to be loaded');
  });
});

describe('very many routes', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const paths = Array.from({ length: 40 }, (_, n) => `src/api/r${n}/route.ts`);
  const source = `import { text } from '../../lib/text'; export const GET = (req, res) => res.send(text.join());`;
  const text = (value: string) => ({ 'src/lib/text.ts': `export const text = ['${value}'];` });

  async function manyRoutes() {
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const app = await apiProject({
      ...Object.fromEntries(paths.map((path) => [path, source])),
      ...text('old'),
    });
    await app.save(text('new'));
    app.takeEvaluated();
    return app;
  }

  it('are evaluated when a request comes, each by a request of its own', async () => {
    const app = await manyRoutes();
    expect(await app.request('GET', '/r7')).toBe('new');
    expect(app.takeEvaluated()).toEqual([paths[7]]);
    expect(await app.request('GET', '/r7')).toBe('new');
    expect(app.takeEvaluated()).toEqual([]);
    expect(app.builds).toBe(1);
  });

  it('are evaluated by themselves soon after', async () => {
    const app = await manyRoutes();
    vi.runAllTimers();
    expect(app.takeEvaluated()).toHaveLength(40);
    expect(await app.request('GET', '/r7')).toBe('new');
  });

  it('keep a body that has changed meanwhile', async () => {
    const app = await manyRoutes();
    await app.save({ [paths[7] ?? '']: get('saved') });
    vi.runAllTimers();
    expect(await app.request('GET', '/r7')).toBe('saved');
  });

  it('answer a request that came before the end of the next reload with the new version', async () => {
    const app = await manyRoutes();
    const saved = app.save(text('newest'));
    const request = app.request('GET', '/r7');
    await saved;
    expect(['new', 'newest']).toContain(await request);
    expect(await app.request('GET', '/r7')).toBe('newest');
  });
});

it('leaves files alone that are not part of the API', async () => {
  const app = await apiProject({ ...FILES, 'src/lib/x.ts': `export const GET = 1;` });
  const loaded = await app.load('src/lib/x.ts');
  expect(loaded).toEqual({ ...app.runner.exportsOf(`${ROOT}/src/lib/x.ts`) });
});
