import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  AuthorsReloader,
  type AuthorsReloaderOptions,
} from '../../../../src/app/reloaders/authors-reloader.ts';
import {
  type ReloadContext,
  RestartNeeded,
} from '../../../../src/app/reloaders/resource-reloader.ts';

afterEach(() => {
  vi.useRealTimers();
});

const PREPARED = { commit() {} };
const FILES = [{ file: '/shop/src/a.txt', change: 'update' as const }];

function createReloader(options: Partial<AuthorsReloaderOptions>) {
  const failures: string[] = [];
  const errors: unknown[] = [];
  const reloader = new AuthorsReloader({
    root: '/shop',
    module: { name: 'r.ts', specifier: '/shop/r.ts', owner: 'the rule `r` of vite.config' },
    load: async () => ({ default: { prepare: () => PREPARED } }),
    app: {} as AuthorsReloaderOptions['app'],
    importFile: async (file) => ({ file }),
    onEntry: () => {},
    onFailure: ({ message }) => failures.push(message),
    onError: (error) => errors.push(error),
    ...options,
  });
  return { reloader, failures, errors };
}

const context = {
  modules: [],
  importFile: async (file: string) => ({ file }),
} as unknown as ReloadContext;

describe('the module of a reloader', () => {
  test.each<[string, object]>([
    ['an ES module', { default: { prepare: () => PREPARED } }],
    ['CommonJS', { prepare: () => PREPARED }],
    ['CommonJS compiled from an ES module', { default: { default: { prepare: () => PREPARED } } }],
  ])('may be %s', async (_what, exports) => {
    const { reloader, failures } = createReloader({ load: async () => exports });
    await reloader.start();
    expect(failures).toEqual([]);
    expect((await reloader.prepare(FILES, context)).resources).toEqual(['src/a.txt']);
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['null', { default: null }],
    ['a function', { default: () => PREPARED }],
  ])('must not be %s', async (_what, exports) => {
    const { reloader, failures } = createReloader({ load: async () => exports });
    await reloader.start();
    expect(failures).toEqual([expect.stringContaining('its default export has no `prepare`')]);
    await expect(reloader.prepare(FILES, context)).rejects.toThrow(RestartNeeded);
  });
});

test('a start that does not end is given up', async () => {
  vi.useFakeTimers();
  const start = () => new Promise<void>(() => {});
  const load = async () => ({ default: { start, prepare: () => PREPARED } });
  const { reloader, failures } = createReloader({ load });
  const started = reloader.start();
  await vi.runAllTimersAsync();
  await started;
  expect(failures).toEqual([
    'The reloader `r.ts`, named by the rule `r` of vite.config, cannot be used: it has not started ' +
      'within 10 s. Until it is mended, its files restart the app.',
  ]);
  await expect(reloader.prepare(FILES, context)).rejects.toThrow(RestartNeeded);
});

test('files that a reloader has imported count as in use', async () => {
  const entries: string[] = [];
  const imported: unknown[] = [];
  const load = async () => ({
    default: {
      async prepare(_change: unknown, { importFile }: { importFile(path: string): unknown }) {
        imported.push(await importFile('src/a.ts'), await importFile('./b.ts'));
        imported.push(await importFile('/elsewhere/c.ts'));
        return PREPARED;
      },
    },
  });
  const { reloader } = createReloader({ load, onEntry: (file) => entries.push(file) });
  await reloader.start();
  await reloader.prepare(FILES, context);
  expect(entries).toEqual(['/shop/src/a.ts', '/shop/b.ts', '/elsewhere/c.ts']);
  expect(imported).toEqual(entries.map((file) => ({ file })));
});

test('an error of `prepare` is passed on, and errors of the clean-up are not', async () => {
  const fail = (what: string) => () => {
    throw new Error(what);
  };
  const prepared = { commit: fail('commit'), rollback: fail('rollback'), dispose: fail('dispose') };
  const { reloader, errors } = createReloader({
    load: async () => ({ default: { prepare: () => prepared } }),
  });
  await reloader.start();
  const { commit, rollback, dispose } = await reloader.prepare(FILES, context);
  expect(commit).toThrow('the reloader r.ts: commit');
  rollback?.();
  await dispose?.();
  expect(errors).toMatchObject([{ message: 'rollback' }, { message: 'dispose' }]);
});
