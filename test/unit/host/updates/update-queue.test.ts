import assert from 'node:assert/strict';
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { AppModules } from '../../../../src/host/processes/app-modules.ts';
import type { RestartResult } from '../../../../src/host/processes/supervisor.ts';
import type { AppSupervisor } from '../../../../src/host/updates/update.ts';
import { UpdateQueue, type UpdateQueueOptions } from '../../../../src/host/updates/update-queue.ts';
import type { HostToApp, ReloadOutcome, Trial } from '../../../../src/protocol/messages.ts';
import { describeReason, type RestartReason } from '../../../../src/protocol/reason.ts';
import type { UpdateResult } from '../../../../src/protocol/update.ts';
import { builtInRules } from '../../../../src/rules/built-in.ts';
import type { Change } from '../../../../src/shared/change.ts';
import { createDeferred, type Deferred } from '../../../../src/shared/deferred.ts';
import type { Transformer } from '../../../../src/vite/transformer.ts';
import { because } from '../../support/because.ts';

const ROOT = '/shop';
const A = `${ROOT}/src/api/a/route.ts`;
const B = `${ROOT}/src/api/b/route.ts`;
const CONFIG = `${ROOT}/medusa-config.ts`;
const RELOADED: ReloadOutcome = {
  type: 'reloaded',
  resources: ['route'],
  modules: 1,
  timing: { evaluate: 0, prepare: 0, commit: 0 },
};

let results: UpdateResult[];
let log: string[];
/** The outcome of the reload that is under way; `restart` is that of a restart. */
let reload: Deferred<ReloadOutcome | undefined>;
let restart: Deferred<RestartResult>;
/** The trial of the latest restart. */
let trial: Trial | undefined;
let settled: Promise<void>;
let filesSettled: () => Promise<void>;
let isDown: boolean;
let isHmrOn: boolean;
let viteReason: RestartReason | undefined;
let updateVite: UpdateQueueOptions['updateVite'];
let modules: AppModules;
let onTransform: () => void;
let brokenFiles: Set<string>;
/** What the app asks for while it reloads. */
let fetched: Set<string>;
/** Whether changed files have other code. */
let isChanged: boolean;
/** Vite's answer: Vite does not know of every import. */
let isStillImported: boolean;
let queue: UpdateQueue;

beforeEach(() => {
  results = [];
  log = [];
  settled = Promise.resolve();
  filesSettled = async () => {};
  isDown = false;
  isHmrOn = true;
  viteReason = undefined;
  updateVite = async () => viteReason;
  modules = fakeModules();
  onTransform = () => {};
  brokenFiles = new Set();
  fetched = new Set();
  isChanged = true;
  isStillImported = false;
  const supervisor: AppSupervisor = {
    get app() {
      return isDown ? undefined : { send: tell };
    },
    settled: () => settled,
    hurry: () => log.push('hurry'),
    restart(reason, next) {
      log.push(`restart: ${describeReason(reason)}`);
      trial = next;
      restart = createDeferred();
      return restart.promise;
    },
    reload({ invalidated }) {
      log.push(`reload ${invalidated.map(shorten).join(' ')}`);
      reload = createDeferred();
      return reload.promise;
    },
  };
  queue = new UpdateQueue({
    root: ROOT,
    rules: () => builtInRules,
    transformer: fakeTransformer(),
    supervisor,
    modules: () => modules,
    isHmrOn: () => isHmrOn,
    updateVite: (changes, batch) => updateVite(changes, batch),
    filesSettled: () => filesSettled(),
    onResult: (result) => results.push(result),
    onNote: () => {},
    onIdle: () => log.push('idle'),
  });
});

/** The methods of a transformer that the queue calls; a file is its own module, and imports nothing. */
function fakeTransformer(): Transformer {
  const transformer = {
    onChange: () => {},
    invalidate: () => {},
    resolveAnew: () => log.push('resolve anew'),
    globImportersOf: () => [],
    transform: async (id: string) => {
      onTransform();
      if (brokenFiles.has(id)) {
        throw new SyntaxError(`${shorten(id)} is broken`);
      }
      return { code: `${id} ${Math.random()}` };
    },
  };
  return transformer as unknown as Transformer;
}

/** All route files are loaded. */
function fakeModules(): AppModules {
  const modules = {
    modulesOf: (file: string) => (file.endsWith('route.ts') ? [file] : []),
    importersOf: () => [],
    filesLike: () => [],
    globImportersOf: () => [],
    isLoaded: (id: string) => id.endsWith('route.ts'),
    isEntry: (id: string) => id.endsWith('route.ts'),
    isNative: () => false,
    accepts: () => false,
    isChanged: () => isChanged,
    retrace: (modules: Record<string, unknown>) =>
      Object.keys(modules).map((file) => ({ file, code: '', kept: [] })),
    isStillImported: () => isStillImported,
    accept: () => {},
    forget: (ids: string[]) => void (ids.length > 0 && log.push(`forget ${ids.join(' ')}`)),
    own: () => {},
    takeOrphans: () => [],
    takeAdded: () => ['fetched while it was tried'],
    isFetched: (id: string) => fetched.has(id),
  };
  return modules as unknown as AppModules;
}

function tell(message: HostToApp): void {
  if (message.type === 'retrace') {
    log.push('retrace');
  } else if (message.type === 'prune') {
    log.push(`prune ${message.ids.map(shorten).join(' ')}`);
  }
}

function shorten(file: string): string {
  return file.replace(/.*\/(\w+)\/route\.ts$/, '$1').replace(`${ROOT}/`, '');
}

function save(...files: string[]): void {
  add(...files.map((file): Change => ({ file, change: 'update' })));
}

function add(...changes: Change[]): void {
  queue.add({ changes, unchanged: [], since: performance.now(), until: performance.now() });
}

function saveUnchanged(file: string): void {
  queue.add({ changes: [], unchanged: [file], since: performance.now(), until: performance.now() });
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function breaksWhileEvaluated(file: string): Promise<void> {
  save(file);
  await settle();
  const error = { name: 'Error', message: 'thrown' };
  reload.resolve({ type: 'kept-previous', error, module: file });
  await settle();
}

async function queueRestart(): Promise<void> {
  void queue.restart(because('asked for'));
  await settle();
}

async function takeLog(): Promise<string[]> {
  await settle();
  return log.splice(0);
}

/** The results, such as `reloaded a b`. */
function seen(): string[] {
  return results.map(({ type, files }) => `${type} ${files.map(shorten).join(' ')}`);
}

/** Routes are named by their folder alone. */
const actions = async () => (await takeLog()).filter((line) => line !== 'hurry');

test('a change without effect evaluates nothing, but moves the lines of stack traces', async () => {
  isChanged = false;
  save(A);
  expect(await actions()).toEqual(['retrace', 'idle']);
  expect(seen()).toEqual(['ignored a']);
});

test('a deleted module is forgotten by both sides, whoever seems to import it', async () => {
  isStillImported = true;
  queue.add({ changes: [{ file: A, change: 'delete' }], unchanged: [], since: 0, until: 0 });
  expect(await actions()).toEqual(['reload a']);
  reload.resolve(RELOADED);
  expect(await actions()).toEqual([`forget ${A}`, 'prune a', 'idle']);
});

// Caused by a file that came back, not yet reported, while the importers that had missed it were evaluated.
test('a deleted module is not forgotten if the app has fetched it again', async () => {
  fetched.add(A);
  queue.add({ changes: [{ file: A, change: 'delete' }], unchanged: [], since: 0, until: 0 });
  expect(await actions()).toEqual(['reload a']);
  reload.resolve(RELOADED);
  expect(await actions()).toEqual(['idle']);
});

describe('updates', () => {
  it('come one after another, and take all changes made meanwhile together', async () => {
    save(A);
    expect(await actions()).toEqual(['reload a']);
    save(B);
    save(A);
    save(B);
    expect(await actions()).toEqual([]);
    reload.resolve(RELOADED);
    expect(await actions()).toEqual(['reload b a']);
    reload.resolve(RELOADED);
    expect(await actions()).toEqual(['idle']);
    expect(seen()).toEqual(['reloaded a', 'reloaded b a']);
  });

  it('know which files have no result yet', async () => {
    const unfinished = () => queue.unfinished.map(shorten);
    save(A);
    await settle();
    save(B);
    saveUnchanged(CONFIG);
    expect(unfinished()).toEqual(['a', 'b', 'medusa-config.ts']);
    reload.resolve(RELOADED);
    await settle();
    expect(unfinished()).toEqual(['b']);
    reload.resolve(RELOADED);
    await settle();
    expect(unfinished()).toEqual([]);
  });

  it('account for all of their time', async () => {
    save(A);
    await settle();
    reload.resolve({ ...RELOADED, timing: { evaluate: 1, prepare: 2, commit: 3 } });
    await settle();
    const [result] = results;
    assert(result?.type === 'reloaded');
    expect(result.timing).toMatchObject({ evaluate: 1, prepare: 2, commit: 3 });
    const { watch, plan, transform } = result.timing;
    expect(Math.min(watch, plan, transform)).toBeGreaterThanOrEqual(0);
    const sum = Object.values(result.timing).reduce((total, ms) => total + ms);
    expect(sum).toBeCloseTo(result.ms);
  });

  it('wait while the app comes up', async () => {
    const boot = createDeferred<void>();
    settled = boot.promise;
    save(A);
    expect(await takeLog()).toEqual(['hurry']);
    boot.resolve();
    expect(await takeLog()).toEqual(['reload a']);
  });

  it('go on after an update that failed in an unforeseen way', async () => {
    save(A);
    await settle();
    reload.reject(new Error('our own fault'));
    await settle();
    expect(results).toMatchObject([{ type: 'kept-previous', error: { message: 'our own fault' } }]);
    await takeLog();
    save(B);
    expect(await actions()).toEqual(['reload a b']);
  });

  it('report when they are done, even if there was nothing to do', async () => {
    saveUnchanged(A);
    expect(await takeLog()).toEqual(['idle']);
    queue.add({ changes: [], unchanged: [], since: 0, until: 0 });
    expect(await takeLog()).toEqual(['idle']);
    expect(seen()).toEqual(['ignored a']);
  });
});

describe('a change that did not arrive', () => {
  it('of a file that does not compile is part of the next update', async () => {
    brokenFiles.add(A);
    save(A);
    await settle();
    expect(seen()).toEqual(['kept-previous a']);
    save(B);
    await settle();
    expect(seen()).toEqual(['kept-previous a', 'kept-previous b']);
    brokenFiles.clear();
    await takeLog();
    save(A);
    expect(await actions()).toEqual(['reload a b']);
    reload.resolve(RELOADED);
    await settle();
    expect(seen().at(-1)).toBe('reloaded a');
    save(B);
    expect(await actions()).toEqual(['idle', 'reload b']);
  });

  it('is undone, and reported so, when the file is saved with the code that the app runs', async () => {
    await breaksWhileEvaluated(A);
    isChanged = false;
    save(A);
    await settle();
    expect(results.at(-1)).toMatchObject({ type: 'ignored', isUndone: true });
    await queueRestart();
    expect(trial).toBeUndefined();
  });

  // Caused by a tsconfig with a comment, which is no JSON: every later change was refused.
  it('does not include JSON that is no module of the app', async () => {
    const file = `${ROOT}/tsconfig.json`;
    brokenFiles.add(file);
    save(file);
    expect(await actions()).toEqual(['restart: tsconfig.json changed']);
  });

  it('of a file that threw is part of the next update', async () => {
    save(A);
    await settle();
    reload.resolve({ type: 'kept-previous', error: { name: 'Error', message: 'thrown' } });
    expect(await actions()).toContain('forget fetched while it was tried');
    save(B);
    expect(await actions()).toEqual(['reload a b']);
  });

  // Caused by a new file that was ignored, although the changes before it waited for just that file.
  it('is tried again for a change of a file that nothing has loaded yet', async () => {
    save(A);
    await settle();
    reload.resolve({ type: 'kept-previous', error: { name: 'Error', message: 'no helper' } });
    await takeLog();
    save(`${ROOT}/src/lib/helper.ts`);
    expect(await actions()).toEqual(['reload a']);
    reload.resolve(RELOADED);
    await settle();
    expect(seen().at(-1)).toBe('reloaded src/lib/helper.ts');
    save(`${ROOT}/src/lib/helper.ts`);
    await settle();
    expect(seen().at(-1)).toBe('ignored src/lib/helper.ts');
  });

  // Caused by a new link with a typo: once mended, it was mistaken for a file that the app does not load.
  it('of a new file is still a new file once it is mended', async () => {
    const link = `${ROOT}/src/links/a.ts`;
    brokenFiles.add(link);
    add({ file: link, change: 'create' });
    await settle();
    expect(seen()).toEqual(['kept-previous src/links/a.ts']);
    brokenFiles.clear();
    await takeLog();
    save(link);
    expect(await actions()).toEqual(['resolve anew', 'restart: src/links/a.ts was added']);
  });

  describe('because a module threw', () => {
    const SERVICE = `${ROOT}/src/modules/brand/service.ts`;

    async function breaks(module: string | undefined): Promise<void> {
      save(A);
      await settle();
      const error = { name: 'Error', message: 'thrown' };
      reload.resolve({ type: 'kept-previous', error, ...(module && { module }) });
      await takeLog();
    }

    it('is tried out before a restart takes the app down for it', async () => {
      await breaks(A);
      save(`${ROOT}/package.json`);
      expect(await actions()).toEqual(['restart: package.json changed']);
      expect(trial).toEqual({ module: A, message: 'thrown' });
      restart.resolve({ type: 'kept-previous', error: { name: 'Error', message: 'thrown' } });
      await settle();
      expect(seen().at(-1)).toBe('kept-previous package.json');
      save(B);
      expect(await actions()).toEqual(['idle', 'restart: package.json changed']);
      expect(trial).toEqual({ module: A, message: 'thrown' });
      restart.resolve({ type: 'restarted' });
      await settle();
      save(CONFIG);
      await settle();
      expect(trial).toBeUndefined();
    });

    it.each([CONFIG, `${ROOT}/.env`])(
      'is not tried out in a Medusa module that %s may leave out',
      async (file) => {
        await breaks(SERVICE);
        save(`${ROOT}/package.json`);
        await settle();
        expect(trial).toEqual({ module: SERVICE, message: 'thrown' });
        restart.resolve({ type: 'kept-previous', error: { name: 'Error', message: 'thrown' } });
        await settle();
        save(file);
        await settle();
        expect(trial).toBeUndefined();
      },
    );

    it('is forgotten when it evaluates', async () => {
      await breaks(A);
      save(A);
      await settle();
      reload.resolve(RELOADED);
      await settle();
      save(CONFIG);
      await settle();
      expect(trial).toBeUndefined();
    });

    it('is not tried out if no module is known to have thrown', async () => {
      await breaks(undefined);
      save(CONFIG);
      await settle();
      expect(trial).toBeUndefined();
    });
  });

  it('in an unforeseen way is reported for every file that was merged into the update', async () => {
    const quiet = createDeferred<void>();
    filesSettled = () => quiet.promise;
    save(CONFIG);
    await settle();
    save(A);
    updateVite = async () => {
      throw new Error('a broken vite.config.ts');
    };
    quiet.resolve();
    await settle();
    expect(seen()).toEqual(['kept-previous medusa-config.ts a']);
  });

  it('says that no app runs, even if the mending change does not compile', async () => {
    isDown = true;
    brokenFiles.add(A);
    save(A);
    await settle();
    expect(results.at(-1)).toMatchObject({ type: 'kept-previous', isDown: true });
  });

  it('is tried again for an admin file that may have been missing, but not for a widget', async () => {
    isDown = true;
    save(`${ROOT}/src/admin/widgets/brand.tsx`);
    expect(await actions()).toEqual(['idle']);
    save(`${ROOT}/src/admin/lib/limits.ts`);
    expect(await actions()).toEqual(['restart: src/admin/lib/limits.ts changed']);
  });

  it('says whether an app still runs', async () => {
    const error = { name: 'Error', message: 'no database' };
    for (const type of ['kept-previous', 'down'] as const) {
      save(CONFIG);
      await settle();
      restart.resolve({ type, error });
      await settle();
      expect(Reflect.get(results.at(-1) ?? {}, 'isDown')).toBe(type === 'down' || undefined);
    }
  });

  it('is not forgotten by a restart that failed', async () => {
    save(CONFIG);
    await settle();
    restart.resolve({ type: 'kept-previous', error: { name: 'Error', message: 'typo' } });
    await settle();
    save(A);
    expect(await actions()).toEqual([
      'restart: medusa-config.ts changed',
      'idle',
      'restart: medusa-config.ts changed',
    ]);
    restart.resolve({ type: 'restarted' });
    await settle();
    await takeLog();
    save(A);
    expect(await actions()).toEqual(['reload a']);
  });
});

describe('a restart', () => {
  it('is made for a file that cannot be reloaded', async () => {
    save(CONFIG, A);
    expect(await actions()).toEqual(['restart: medusa-config.ts changed']);
    restart.resolve({ type: 'restarted' });
    await settle();
    expect(seen()).toEqual(['restarted medusa-config.ts a']);
  });

  // Caused by a file that was required by a computed path and came back: importers by glob stayed without it.
  it('resolves all imports anew if files came or went', async () => {
    add({ file: CONFIG, change: 'update' }, { file: A, change: 'create' });
    expect(await actions()).toEqual(['resolve anew', 'restart: medusa-config.ts changed']);
  });

  it('is made once for files that come in several batches', async () => {
    const quiet = createDeferred<void>();
    filesSettled = () => quiet.promise;
    save(CONFIG);
    await settle();
    save(A);
    save(B);
    quiet.resolve();
    expect(await actions()).toEqual(['restart: medusa-config.ts changed']);
    restart.resolve({ type: 'restarted' });
    expect(await actions()).toEqual(['idle']);
    expect(seen()).toEqual(['restarted medusa-config.ts a b']);
  });

  it('is made when the app asks for it, for reasons of its own', async () => {
    save(A);
    await settle();
    reload.resolve({ type: 'restart-needed', reason: because('the app does not answer') });
    expect(await actions()).toEqual(['reload a', 'restart: the app does not answer']);
    restart.resolve({ type: 'restarted' });
    await settle();
    expect(results).toMatchObject([
      { type: 'restarted', reason: because('the app does not answer') },
    ]);
  });

  it('is made when the app was gone before it could reload', async () => {
    save(A);
    await settle();
    reload.resolve(undefined);
    expect((await actions()).at(-1)).toBe('restart: src/api/a/route.ts changed');
  });

  it('is made for every change while backend HMR is off, or no app runs', async () => {
    isHmrOn = false;
    save(A);
    expect(await actions()).toEqual(['restart: src/api/a/route.ts changed']);
    restart.resolve({ type: 'restarted' });
    await takeLog();
    isHmrOn = true;
    isDown = true;
    save(A, B);
    expect(await actions()).toEqual(['restart: src/api/a/route.ts and 1 more changed']);
  });

  it('is made for an unchanged file that is saved while no app runs', async () => {
    isDown = true;
    saveUnchanged(A);
    expect(await actions()).toEqual(['restart: src/api/a/route.ts changed']);
    restart.resolve({ type: 'restarted' });
    await settle();
    expect(seen()).toEqual(['restarted a']);
  });

  it('is made when the app has crashed while the update was planned for it', async () => {
    const restarted = fakeModules();
    updateVite = async () => {
      onTransform = () => {
        modules = restarted;
      };
      return undefined;
    };
    save(A);
    expect(await actions()).toEqual(['restart: src/api/a/route.ts changed']);
  });

  it('is made when Vite itself had to be restarted', async () => {
    viteReason = because('shared.config.ts changed');
    save(`${ROOT}/shared.config.ts`);
    expect(await actions()).toEqual(['restart: shared.config.ts changed']);
  });

  it('hurries an app on its way up when a new change comes', async () => {
    save(CONFIG);
    await takeLog();
    save(A);
    expect(await takeLog()).toEqual(['hurry']);
  });
});

test('Vite gets the time of the last change of an update, not of the first', async () => {
  const times: number[] = [];
  updateVite = async (_changes, { until }) => {
    times.push(until);
    return undefined;
  };
  const changes: Change[] = [{ file: A, change: 'update' }];
  queue.add({ changes, unchanged: [], since: 1, until: 2 });
  queue.add({ changes, unchanged: [], since: 3, until: 4 });
  queue.add({ changes, unchanged: [], since: 5, until: 6 });
  await settle();
  reload.resolve(RELOADED);
  await settle();
  expect(times).toEqual([2, 6]);
});

describe('a restart that the user asks for', () => {
  it('needs no changed file', async () => {
    const done = queue.restart(because('asked for'));
    expect(await actions()).toEqual(['restart: asked for']);
    restart.resolve({ type: 'restarted' });
    await done;
    expect(results).toMatchObject([{ type: 'restarted', files: [], reason: because('asked for') }]);
  });

  it('waits for the running update, and takes pending files along', async () => {
    save(A);
    await takeLog();
    const done = queue.restart(because('asked for'));
    void queue.restart(because('asked for again'));
    save(B);
    expect(await actions()).toEqual([]);
    reload.resolve(RELOADED);
    expect(await actions()).toEqual(['restart: asked for']);
    restart.resolve({ type: 'restarted' });
    await done;
    expect(await actions()).toEqual(['idle']);
    expect(seen()).toEqual(['reloaded a', 'restarted b']);
  });
});
