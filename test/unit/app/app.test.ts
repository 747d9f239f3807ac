import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { App, type AppMedusa, type AppParts } from '../../../src/app/app.ts';
import { Reloads } from '../../../src/app/reload/reloads.ts';
import { UnfitSpareError } from '../../../src/app/spare/spare.ts';
import type { AppOptions, AppToHost, ReloadPlan } from '../../../src/protocol/messages.ts';
import { createDeferred } from '../../../src/shared/deferred.ts';

const ROOT = '/shop';
const OPTIONS: AppOptions = {
  root: ROOT,
  port: 9000,
  host: undefined,
  types: false,
  inspect: undefined,
  reloaders: [],
  isSpare: false,
  trial: undefined,
};
const CONFIG = { admin: { disable: true } };
const PLAN = {} as ReloadPlan;

/** All events, in order: messages to the host by their type, and calls to Medusa. */
let log: string[];
let sent: AppToHost[];
let medusa: AppMedusa;
let runPlan: () => Promise<never>;
let stray: string;

beforeEach(() => {
  log = [];
  sent = [];
  stray = '';
  runPlan = () => Promise.reject(new Error('no plan expected'));
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    stray += chunk;
    return true;
  });
  medusa = {
    flags: { flags: {}, set: async () => {}, findDifference: () => undefined },
    schema: { text: 'type Query', make: () => {} },
    sessions: {
      take: (sessions: object) => log.push(`take ${Object.keys(sessions)}`),
      give: () => ({ id: 'serialized' }),
    },
    readDotEnv: () => {},
    nameCoreFlows: async () => {},
    readConfig: async () => CONFIG,
    createReloads: (modules: { name: string }[]) => {
      log.push(`reloaders: ${modules.map(({ name }) => name)}`);
      return new Reloads({ run: () => runPlan() }, [
        { start: async () => void log.push('reloaders start') },
      ]);
    },
    start: async () => void log.push('boot'),
    writeTypes: async () => void log.push('types'),
    stop: async () => void log.push('shut down'),
  } as unknown as AppMedusa;
});

function createApp(parts: Partial<AppParts> = {}): App {
  const send = async (message: AppToHost) => {
    sent.push(message);
    log.push(message.type);
  };
  const exit = (code: number) => void log.push(`exit ${code}`);
  return new App({
    options: OPTIONS,
    spare: undefined,
    channel: { request: () => ({ type: 'resolved', id: null }) },
    loadMedusa: () => medusa,
    send,
    exit,
    ...parts,
  });
}

/** Makes a phase wait in a method of Medusa, until the test resolves it. */
function pauseAt(method: 'readConfig' | 'start') {
  const pause = createDeferred<unknown>();
  const reached = createDeferred<void>();
  const stub = () => {
    reached.resolve();
    return pause.promise;
  };
  medusa = { ...medusa, [method]: stub };
  return { ...pause, reached: reached.promise };
}

function messageOf<T extends AppToHost['type']>(type: T): Extract<AppToHost, { type: T }> {
  return sent.find((message) => message.type === type) as never;
}

describe('an app that comes up', () => {
  it('prepares, and starts when it is told to', async () => {
    const app = createApp();
    await app.prepare();
    expect(messageOf('prepared').app).toEqual({ backendHmr: false, adminPath: null });
    expect(log).toEqual(['reloaders: ', 'prepared']);
    log.length = 0;
    await app.start({ one: 'serialized' });
    expect(log).toEqual(['take one', 'boot', 'reloaders start', 'admin-wanted', 'ready']);
  });

  it('lists its packages for a spare, once it is ready', async () => {
    const app = createApp();
    await app.prepare();
    app.handlers['list-packages']({ type: 'list-packages', id: 1 });
    expect(messageOf('packages')).toMatchObject({ id: 1, packages: null });
    sent.length = 0;
    await app.start({});
    app.handlers['list-packages']({ type: 'list-packages', id: 1 });
    expect(messageOf('packages').packages).toMatchObject({ schema: 'type Query', flags: {} });
  });

  it('writes types a while after it is ready, and says that it is busy', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const app = createApp({ options: { ...OPTIONS, types: true } });
      await app.prepare();
      await app.start({});
      expect(log.at(-1)).toBe('ready');
      await vi.runAllTimersAsync();
      expect(log.slice(-3)).toEqual(['busy', 'types', 'busy']);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a failure', () => {
  it('while it prepares ends the process', async () => {
    medusa = { ...medusa, readConfig: () => Promise.reject(new Error('bad config')) };
    await createApp().prepare();
    expect(messageOf('boot-failed').error.message).toBe('bad config');
    expect(log.at(-1)).toBe('exit 1');
  });

  it('while it boots ends the process', async () => {
    medusa = { ...medusa, start: () => Promise.reject(new Error('bad boot')) };
    const app = createApp();
    await app.prepare();
    await app.start({});
    expect(messageOf('boot-failed').error.message).toBe('bad boot');
    expect(log).not.toContain('ready');
    expect(log.at(-1)).toBe('exit 1');
  });
});

describe('stop', () => {
  it('finishes, hands the sessions over, cleans up and exits', async () => {
    const app = createApp();
    await app.prepare();
    await app.start({});
    log.length = 0;
    await Promise.all([app.stop(0), app.stop(143)]);
    expect(messageOf('sessions').sessions).toEqual({ id: 'serialized' });
    expect(log).toEqual(['sessions', 'shut down', 'exit 0']);
  });

  // Caused by a variable that was declared below the top-level await of the module.
  it('ends an app that prepares', async () => {
    const config = pauseAt('readConfig');
    const app = createApp();
    const prepared = app.prepare();
    await config.reached;
    await app.stop(143);
    expect(log.slice(-3)).toEqual(['sessions', 'shut down', 'exit 143']);
    expect(stray).toBe('');
    config.reject(new Error('the pool is closed'));
    await prepared;
    // A failure after the stop comes of it, and is not told.
    expect(log.at(-1)).toBe('exit 143');
  });

  it('ends an app that boots', async () => {
    const boot = pauseAt('start');
    const app = createApp();
    await app.prepare();
    const started = app.start({});
    await boot.reached;
    await app.stop(0);
    boot.reject(new Error('the pool is closed'));
    await started;
    expect(log.slice(-3)).toEqual(['sessions', 'shut down', 'exit 0']);
  });

  it('exits even if the app cannot clean up', async () => {
    medusa = { ...medusa, stop: () => Promise.reject(new Error('no end')) };
    const app = createApp();
    await app.prepare();
    await app.stop(0);
    expect(stray).toContain('no end');
    expect(log.at(-1)).toBe('exit 0');
  });

  it('leaves types unwritten', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const app = createApp({ options: { ...OPTIONS, types: true } });
      await app.prepare();
      await app.start({});
      await app.stop(0);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('reload', () => {
  const plan = { type: 'hmr-reload', id: 7, plan: PLAN } as const;

  it('answers with the outcome', async () => {
    const app = createApp();
    await app.prepare();
    runPlan = async () => ({ type: 'reloaded' }) as never;
    await app.reload(plan.id, plan.plan);
    expect(messageOf('hmr-result')).toMatchObject({ id: 7, outcome: { type: 'reloaded' } });
  });

  it('asks for a restart if it fails', async () => {
    const app = createApp();
    await app.prepare();
    await app.reload(plan.id, plan.plan);
    expect(messageOf('hmr-result').outcome).toEqual({
      type: 'restart-needed',
      reason: { type: 'reload-failed', message: 'no plan expected' },
    });
  });

  it('asks for a restart before the app is there', async () => {
    createApp().handlers['hmr-reload']?.(plan);
    await turn();
    expect(messageOf('hmr-result').outcome).toEqual({
      type: 'restart-needed',
      reason: { type: 'reload-failed', message: 'the app was not ready' },
    });
  });
});

describe('a spare', () => {
  const reloader = { name: 'own', specifier: '/shop/own.ts', owner: 'a rule' };
  const createSpare = (overrides: Partial<AppParts['spare']> = {}) =>
    ({
      isActivated: true,
      preload: async () => 12,
      becomeApp: async () => [reloader],
      assertConfigured: () => {},
      assertBooted: () => {},
      ...overrides,
    }) as unknown as NonNullable<AppParts['spare']>;

  it('tells how many files it has loaded, and becomes the app with the reloaders of its activation', async () => {
    const app = createApp({ spare: createSpare() });
    await app.prepare();
    expect(messageOf('preloaded').files).toBe(12);
    await app.start({});
    expect(log.slice(0, 3)).toEqual(['preloaded', 'reloaders: own', 'prepared']);
    expect(log.at(-1)).toBe('ready');
  });

  it.each([
    ['before it is activated', { isActivated: false, preload: () => Promise.reject('no package') }],
    [
      'when it is not like a new process',
      { becomeApp: () => Promise.reject(new UnfitSpareError('no package')) },
    ],
  ])('is unfit if it fails %s', async (_, overrides) => {
    await createApp({ spare: createSpare(overrides) }).prepare();
    expect(messageOf('unfit').reason).toBe('no package');
    expect(log.at(-1)).toBe('exit 1');
  });

  it('is unfit with any error that nobody has caught, and prints nothing', async () => {
    const app = createApp({ spare: createSpare({ isActivated: false }) });
    app.report(new Error('no engine'));
    await turn();
    expect(messageOf('unfit').reason).toBe('no engine');
    expect(log).toEqual(['unfit', 'exit 1']);
    expect(stray).toBe('');
  });

  it('fails like any app once it is one', async () => {
    medusa = { ...medusa, start: () => Promise.reject(new Error('bad boot')) };
    const app = createApp({ spare: createSpare() });
    await app.prepare();
    await app.start({});
    expect(messageOf('boot-failed').error.message).toBe('bad boot');
  });
});
