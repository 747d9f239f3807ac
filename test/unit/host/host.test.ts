import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { ViteDevServer } from 'vite';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Host, type HostOptions } from '../../../src/host/host.ts';
import type { Reporter } from '../../../src/host/terminal/reporter.ts';
import type { UpdatesOptions } from '../../../src/host/updates/updates.ts';
import { createDeferred, type Deferred } from '../../../src/shared/deferred.ts';
import type { SerializedError } from '../../../src/shared/serialized-error.ts';
import { because } from '../support/because.ts';

/** Allows for a busy machine. */
const PATIENT = { timeout: 30_000 };

const world = vi.hoisted(() => ({
  listeners: 0,
  mostListeners: 0,
  dotEnv: {} as Record<string, string>,
  hosts: [] as {
    events: UpdatesOptions['events'];
    booted: Deferred<SerializedError | undefined>;
  }[],
}));

vi.mock('../../../src/project/project.ts', async (load) => ({
  ...(await load<object>()),
  assertMedusaProject: () => {},
  readDotEnv: () => world.dotEnv,
}));
vi.mock('../../../src/project/medusa-version.ts', () => ({ findSupportedMedusa: () => {} }));
vi.mock('../../../src/shared/database-check.ts', () => ({
  assertDatabaseReachable: async () => {},
}));
vi.mock('../../../src/host/processes/spare-keeper.ts', () => ({ canWait: () => false }));
vi.mock('../../../src/host/port/listener.ts', () => ({
  listen: async () => {
    world.listeners++;
    world.mostListeners = Math.max(world.mostListeners, world.listeners);
    await setImmediate();
    return {
      port: 9000,
      url: 'http://localhost:9000',
      close: async () => {
        world.listeners--;
      },
    };
  },
}));
vi.mock('../../../src/host/updates/updates.ts', () => ({
  Updates: class {
    readonly booted = createDeferred<SerializedError | undefined>();
    readonly events: UpdatesOptions['events'];
    constructor({ events }: UpdatesOptions) {
      this.events = events;
      world.hosts.push(this);
    }
    start() {
      return this.booted.promise;
    }
    isReadByVite() {
      return false;
    }
    catchUp() {}
    stopWatching() {
      return [];
    }
    /** As the real class does: an app that is killed while it boots has failed to boot. */
    async close() {
      await null;
      const error = { name: 'Error', message: 'The dev server is closing.' };
      this.events.note('a note');
      this.events.warning('a warning');
      this.events.failure(error, 'the admin could not be started');
      this.events.exit({ code: 1, signal: null, stderr: '' }, false);
      this.booted.resolve(error);
    }
  },
}));

let said: string[];

beforeEach(() => {
  said = [];
  world.listeners = 0;
  world.mostListeners = 0;
  world.dotEnv = {};
  world.hosts.length = 0;
  vi.stubEnv('DATABASE_URL', 'postgres://localhost/shop');
});

afterEach(() => vi.unstubAllEnvs());

function createHost(options: Partial<HostOptions> = {}): Host {
  const reporter = new Proxy({} as Reporter, {
    get:
      (_, name) =>
      (...[first]: unknown[]) =>
        said.push(name === 'warn' ? String(first) : String(name)),
  });
  return new Host({
    root: '/shop',
    reporter,
    isStdoutTaken: false,
    createVite: async () => ({}) as ViteDevServer,
    port: 9000,
    host: undefined,
    types: true,
    hmr: undefined,
    inspect: undefined,
    nodeArgs: [],
    spare: false,
    ...options,
  });
}

const untilHosts = (count: number) =>
  vi.waitFor(() => expect(world.hosts).toHaveLength(count), PATIENT);

it('reports nothing about an app that failed because it was told to end', async () => {
  const host = createHost();
  const started = host.start();
  await untilHosts(1);
  await host.close();
  await started;
  expect(said).toEqual([]);
  expect(world.listeners).toBe(0);
});

it('does not fail if it is closed before there is an app', async () => {
  const vite = createDeferred<ViteDevServer>();
  const host = createHost({ createVite: () => vite.promise });
  const started = host.start();
  await vi.waitFor(() => expect(world.listeners).toBe(1), PATIENT);
  const closed = host.close();
  vite.reject(new Error('Vite was closed'));
  await closed;
  await expect(started).resolves.toBeUndefined();
  expect(said).toEqual([]);
});

it('reports an app that failed for another reason', async () => {
  const started = createHost().start();
  await untilHosts(1);
  world.hosts[0]?.booted.resolve({ name: 'Error', message: 'a typo' });
  await started;
  expect(said).toEqual(['failure']);
});

it('never takes the port if it is replaced before it has begun', async () => {
  const first = createHost();
  void first.start();
  await untilHosts(1);
  world.hosts[0]?.booted.resolve(undefined);
  const replaces = (previous: Host) => ({
    replaces: {
      previous,
      files: ['vite.config.ts'],
      events: Object.assign(new EventEmitter(), { add: () => {} }),
    },
  });
  const second = createHost(replaces(first));
  const third = createHost(replaces(second));
  const starts = [second.start(), third.start()];
  await untilHosts(2);
  world.hosts[1]?.booted.resolve(undefined);
  await Promise.all(starts);
  expect(world.listeners).toBe(1);
  expect(world.mostListeners).toBe(1);
  await third.close();
  expect(world.listeners).toBe(0);
});

const moved = (change: string) =>
  `${change}, which a restart does not follow: stop the dev server and start it again.`;

it.each<[string, Partial<HostOptions>, string[]]>([
  [
    'that it listens by',
    { port: undefined },
    [moved('`PORT` in `.env` has changed to `9001`'), moved('`HOST` is gone from `.env`')],
  ],
  ['but not what was asked for otherwise', { port: 9000, host: '127.0.0.1' }, []],
])('says of a saved `.env` that a restart does not follow it, %s', async (_, options, warnings) => {
  world.dotEnv = { PORT: '9000', HOST: 'localhost' };
  vi.stubEnv('PORT', undefined);
  vi.stubEnv('HOST', undefined);
  const started = createHost(options).start();
  await untilHosts(1);
  world.hosts[0]?.booted.resolve(undefined);
  await started;
  const restarted = (file: string) =>
    world.hosts[0]?.events.update({
      type: 'restarted',
      files: [file],
      reason: because('saved'),
      chain: [],
      ms: 1,
    });
  restarted('/shop/.env');
  world.dotEnv = { PORT: '9001', HOST: '' };
  restarted('/shop/medusa-config.ts');
  expect(said).toEqual(['update', 'update']);
  restarted('/shop/.env');
  expect(said.slice(2)).toEqual(['update', ...warnings]);
});

it('says nothing about a variable in `.env` that the shell sets too', async () => {
  vi.stubEnv('PORT', '9000');
  const started = createHost({ port: undefined }).start();
  await untilHosts(1);
  world.hosts[0]?.booted.resolve(undefined);
  await started;
  world.dotEnv = { PORT: '9001' };
  const files = ['/shop/.env'];
  world.hosts[0]?.events.update({
    type: 'restarted',
    files,
    reason: because('saved'),
    chain: [],
    ms: 1,
  });
  expect(said).toEqual(['update']);
});
