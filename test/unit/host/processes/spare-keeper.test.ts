import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnfitAppError } from '../../../../src/host/processes/process-failure.ts';
import {
  canWait,
  SpareKeeper,
  type SpareProcess,
} from '../../../../src/host/processes/spare-keeper.ts';
import type { Activation, PackageList, PreparedApp } from '../../../../src/protocol/messages.ts';
import { createDeferred } from '../../../../src/shared/deferred.ts';
import type { ForkedExit } from '../../../../src/shared/process/forked-process.ts';

const PACKAGES: PackageList = { config: [], boot: ['/node_modules/a.js'], env: {}, flags: {} };
const GIGABYTE = 1024 ** 3;

class FakeSpare implements SpareProcess {
  readonly name: string;
  readonly onPreloaded = createDeferred<number>();
  readonly onPrepared = createDeferred<PreparedApp>();
  readonly onExited = createDeferred<ForkedExit>();
  readonly preloaded = this.onPreloaded.promise;
  readonly prepared = this.onPrepared.promise;
  readonly exited = this.onExited.promise;
  isAlive = true;

  constructor(name: string) {
    this.name = name;
    this.prepared.catch(() => {});
  }

  preload(packages: PackageList | null): void {
    log.push(`preload ${this.name}: ${packages ? 'packages' : 'Medusa'}`);
  }

  setPace(pace: 'full' | 'slow'): void {
    log.push(`pace ${this.name}: ${pace}`);
  }

  anticipate(): void {
    log.push(`anticipate ${this.name}`);
  }

  activate({ env }: Activation): void {
    log.push(`activate ${this.name}: ${env.STAGE}`);
  }

  kill(): void {
    log.push(`kill ${this.name}`);
    this.isAlive = false;
    this.onExited.resolve({ code: null, signal: 'SIGKILL', stderr: '' });
    this.fail('it exited by SIGKILL');
  }

  fail(reason: string): void {
    this.onPrepared.reject(new UnfitAppError(reason));
  }
}

let log: string[];
let spares: FakeSpare[];
let available: number;
let canFork: boolean;
let packages: PackageList | null;
let env: NodeJS.ProcessEnv;
let isBusy: boolean;

function createKeeper(first?: FakeSpare): SpareKeeper<FakeSpare> {
  return new SpareKeeper<FakeSpare>({
    fork() {
      if (!canFork) {
        throw new Error('no more processes');
      }
      const spare = new FakeSpare(String(spares.length + 1));
      spares.push(spare);
      log.push(`fork ${spare.name}`);
      return spare;
    },
    activation: () => ({ env, reloaders: [] }),
    listPackages: async () => packages,
    isBusy: () => isBusy,
    log: (line) => log.push(line),
    availableBytes: () => available,
    first,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  log = [];
  spares = [];
  canFork = true;
  available = 4 * GIGABYTE;
  packages = PACKAGES;
  isBusy = false;
  env = { STAGE: 'one' };
});

afterEach(() => {
  vi.useRealTimers();
});

async function pass(ms: number): Promise<string[]> {
  await vi.advanceTimersByTimeAsync(ms);
  return log.splice(0);
}

describe('a spare', () => {
  it('is made when the app has served in calm for a while', async () => {
    const keeper = createKeeper();
    expect(await pass(60_000)).toEqual([]);
    keeper.wake();
    expect(await pass(200)).toEqual([]);
    keeper.stir();
    expect(await pass(200)).toEqual([]);
    expect(await pass(50)).toEqual(['fork 1', 'preload 1: packages']);
    spares[0]?.onPreloaded.resolve(7);
    expect(await pass(0)).toEqual(['spare: ready, with 7 files of packages']);
    keeper.wake();
    keeper.stir();
    expect(await pass(60_000)).toEqual([]);
  });

  it('gives way while it loads, at once to a change and soon to a request', async () => {
    const keeper = createKeeper();
    keeper.wake();
    keeper.giveWay();
    expect(await pass(250)).toEqual(['fork 1', 'preload 1: packages']);
    isBusy = true;
    expect(await pass(15)).toEqual(['pace 1: slow']);
    keeper.giveWay();
    expect(await pass(100)).toEqual([]);
    isBusy = false;
    expect(await pass(15)).toEqual(['pace 1: full']);
    keeper.giveWay();
    expect(log.splice(0)).toEqual(['pace 1: slow']);
    expect(await pass(15)).toEqual(['pace 1: full']);
    spares[0]?.onPreloaded.resolve(7);
    await pass(0);
    isBusy = true;
    keeper.giveWay();
    expect(await pass(60_000)).toEqual([]);
  });

  it('is taken once, in the environment of that moment', async () => {
    const keeper = createKeeper();
    keeper.wake();
    await pass(3_000);
    env = { STAGE: 'two' };
    expect(keeper.take()).toBe(spares[0]);
    expect(keeper.take()).toBeUndefined();
    expect(await pass(60_000)).toEqual(['activate 1: two']);
    keeper.wake();
    expect(await pass(3_000)).toEqual(['fork 2', 'preload 2: packages']);
  });

  it('is told when it is about to be taken', async () => {
    const keeper = createKeeper();
    keeper.anticipate();
    keeper.wake();
    await pass(3_000);
    keeper.anticipate();
    keeper.take();
    keeper.anticipate();
    expect(log).toEqual(['anticipate 1', 'activate 1: one']);
  });

  it('may exist from the start', async () => {
    const first = new FakeSpare('0');
    expect(createKeeper(first).take()).toBe(first);
    expect(log).toEqual(['activate 0: one']);
  });

  it('loads nothing ahead where the app lists no packages', async () => {
    packages = null;
    createKeeper().wake();
    expect(await pass(3_000)).toEqual(['fork 1', 'preload 1: Medusa']);
  });

  it('that has died is not taken', async () => {
    const keeper = createKeeper();
    keeper.wake();
    await pass(3_000);
    const [spare] = spares;
    if (spare) {
      spare.isAlive = false;
    }
    expect(keeper.take()).toBeUndefined();
  });

  it('that fails is replaced once, by one that loads nothing ahead', async () => {
    const keeper = createKeeper();
    keeper.wake();
    await pass(3_000);
    spares[0]?.fail('a package rejects');
    expect(await pass(3_000)).toEqual([
      'spare: failed: a package rejects',
      'kill 1',
      'fork 2',
      'preload 2: Medusa',
    ]);
    spares[1]?.fail('it exited by SIGKILL');
    expect(await pass(60_000)).toEqual(['spare: failed: it exited by SIGKILL', 'kill 2']);
    keeper.wake();
    expect(await pass(60_000)).toEqual([]);
  });

  it('loads its packages ahead again after the environment has changed', async () => {
    const keeper = createKeeper();
    for (const index of [1, 2, 3]) {
      keeper.wake();
      expect(await pass(3_000)).toContain(`preload ${index}: packages`);
      keeper.take();
      keeper.noteUnfit(new UnfitAppError('the variable X has changed'));
    }
  });

  it('loads nothing ahead after two spares in a row had the wrong packages', async () => {
    const keeper = createKeeper();
    for (const [index, loaded] of ['packages', 'packages', 'Medusa'].entries()) {
      keeper.wake();
      expect(await pass(3_000)).toContain(`preload ${index + 1}: ${loaded}`);
      keeper.take();
      keeper.noteUnfit(new UnfitAppError('a flag has changed', { wasPrepared: true }));
    }
    keeper.noteUse();
    keeper.wake();
    expect(await pass(3_000)).toContain('preload 4: Medusa');
    // Other packages get another try.
    keeper.drop('package.json changed');
    keeper.wake();
    expect(await pass(3_000)).toContain('preload 5: packages');
  });

  it('forgets about wrong packages once a spare had the right ones', async () => {
    const keeper = createKeeper();
    for (const index of [1, 2, 3, 4]) {
      keeper.wake();
      expect(await pass(3_000)).toContain(`preload ${index}: packages`);
      keeper.take();
      if (index % 2 === 1) {
        keeper.noteUnfit(new UnfitAppError('a flag has changed', { wasPrepared: true }));
      } else {
        keeper.noteUse();
      }
    }
  });

  it('that cannot be forked is skipped', async () => {
    const keeper = createKeeper();
    canFork = false;
    keeper.wake();
    expect(await pass(3_000)).toEqual(['spare: none: no more processes']);
    expect(keeper.take()).toBeUndefined();
  });

  it('is dropped when its packages change, and another one comes with the next app', async () => {
    const keeper = createKeeper();
    keeper.wake();
    await pass(3_000);
    keeper.drop('package.json changed');
    expect(await pass(60_000)).toEqual(['spare: dropped: package.json changed', 'kill 1']);
    expect(keeper.take()).toBeUndefined();
    keeper.wake();
    expect(await pass(3_000)).toEqual(['fork 2', 'preload 2: packages']);
  });

  it('is not made from a list of packages that is out of date on arrival', async () => {
    const keeper = createKeeper();
    keeper.wake();
    await vi.advanceTimersToNextTimerAsync();
    log.splice(0);
    spares.splice(0);
    const late = createDeferred<PackageList | null>();
    const waiting = new SpareKeeper<FakeSpare>({
      fork: () => {
        throw new Error('Expected no spare.');
      },
      activation: () => ({ env, reloaders: [] }),
      listPackages: () => late.promise,
      isBusy: () => isBusy,
      log: (line) => log.push(line),
      availableBytes: () => available,
    });
    waiting.wake();
    await pass(3_000);
    waiting.drop('package.json changed');
    late.resolve(PACKAGES);
    expect(await pass(0)).toEqual([]);
  });
});

describe('memory', () => {
  it('that is short keeps a spare from being made', async () => {
    available = GIGABYTE / 2;
    createKeeper().wake();
    expect(await pass(60_000)).toEqual(['spare: none: only 512 MB of memory are left']);
  });

  it('that becomes short takes a spare away', async () => {
    const keeper = createKeeper();
    keeper.wake();
    await pass(3_000);
    available = GIGABYTE / 4;
    expect(await pass(60_000)).toEqual(['spare: dropped: memory is short', 'kill 1']);
    expect(keeper.take()).toBeUndefined();
  });
});

describe('closing', () => {
  it('ends the spare', async () => {
    const keeper = createKeeper();
    keeper.wake();
    await pass(3_000);
    await keeper.close();
    expect(await pass(0)).toEqual(['kill 1']);
  });

  it('prevents further spares', async () => {
    const keeper = createKeeper();
    keeper.wake();
    void keeper.close();
    keeper.wake();
    expect(await pass(60_000)).toEqual([]);
  });
});

it.each([
  [[], undefined, true],
  [['--max-old-space-size=512'], '--enable-source-maps', true],
  [['--require', './tracing.js'], undefined, false],
  [['--import=./tracing.js'], undefined, false],
  [[], '-r dd-trace/init', false],
  [['--experimental-loader=x'], undefined, false],
])('with %j and NODE_OPTIONS %j, a process can wait: %j', (args, options, expected) => {
  expect(canWait(args, { NODE_OPTIONS: options })).toBe(expected);
});
