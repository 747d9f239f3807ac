import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BootError,
  type Hang,
  UnfitAppError,
} from '../../../../src/host/processes/process-failure.ts';
import {
  type RestartResult,
  type SupervisedApp,
  Supervisor,
} from '../../../../src/host/processes/supervisor.ts';
import type { PreparedApp, ReloadOutcome } from '../../../../src/protocol/messages.ts';
import { describeReason } from '../../../../src/protocol/reason.ts';
import { createDeferred } from '../../../../src/shared/deferred.ts';
import type { ForkedExit } from '../../../../src/shared/process/forked-process.ts';
import { because } from '../../support/because.ts';
import { EMPTY_PLAN, reloaded } from '../../support/reloads.ts';

const PREPARED: PreparedApp = {
  backendHmr: true,
  adminPath: '/app',
};
const RELOADED = reloaded();
const KILLED: ForkedExit = { code: null, signal: 'SIGKILL', stderr: '' };

/** An app that takes its steps when the test says so. */
class FakeApp implements SupervisedApp {
  readonly name: string;
  readonly #log: string[];
  readonly onPrepared = createDeferred<PreparedApp>();
  readonly onReady = createDeferred<void>();
  readonly onExited = createDeferred<ForkedExit>();
  readonly onReload = createDeferred<ReloadOutcome | Hang>();
  readonly prepared = this.onPrepared.promise;
  readonly ready = this.onReady.promise;
  readonly exited = this.onExited.promise;

  constructor(name: string, log: string[]) {
    this.name = name;
    this.#log = log;
    this.prepared.catch(() => {});
    this.ready.catch(() => {});
  }

  start(): void {
    this.#log.push(`start ${this.name}`);
  }

  stop(): Promise<ForkedExit> {
    this.#log.push(`stop ${this.name}`);
    return this.exited;
  }

  kill(): void {
    this.#log.push(`kill ${this.name}`);
    this.exit(KILLED);
  }

  hurry(): void {
    this.#log.push(`hurry ${this.name}`);
  }

  reload(): Promise<ReloadOutcome | Hang> {
    return this.onReload.promise;
  }

  /** Rejects the phases that are not reached, as the real process does. */
  exit(exit: Partial<ForkedExit> = {}): void {
    const error = new BootError({ name: 'Error', message: `${this.name} exited` });
    this.onPrepared.reject(error);
    this.onReady.reject(error);
    this.onReload.resolve({ type: 'restart-needed', reason: because(`${this.name} exited`) });
    this.onExited.resolve({ code: 0, signal: null, stderr: '', ...exit });
  }

  /** Fails as an activated spare that may differ from a new process. */
  misfit(reason: string): void {
    const error = new UnfitAppError(reason);
    this.onPrepared.reject(error);
    this.onReady.reject(error);
  }

  fail(message: string): void {
    const error = new BootError({ name: 'Error', message });
    this.onPrepared.reject(error);
    this.onReady.reject(error);
  }
}

/** Everything that the supervisor does, in order. */
let log: string[];
let apps: FakeApp[];
let supervisor: Supervisor<FakeApp>;
let failSpawn: boolean;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  log = [];
  apps = [];
  failSpawn = false;
  supervisor = new Supervisor<FakeApp>({
    gate: {
      forwardTo: (app) => log.push(`forward to ${app.name}`),
      hold: (reason) => log.push(`hold: ${describeReason(reason)}`),
      fail: ({ message }) => log.push(`fail: ${message}`),
    },
    spawn() {
      if (failSpawn) {
        throw new Error('no more processes');
      }
      const app = new FakeApp('abcdefgh'.charAt(apps.length), log);
      apps.push(app);
      log.push(`spawn ${app.name}`);
      return app;
    },
    respawn({ message }) {
      const app = new FakeApp('abcdefgh'.charAt(apps.length), log);
      apps.push(app);
      log.push(`respawn ${app.name}: ${message}`);
      return app;
    },
    tryOut({ module }) {
      const app = new FakeApp('abcdefgh'.charAt(apps.length), log);
      apps.push(app);
      log.push(`try ${module} in ${app.name}`);
      return app;
    },
    onServing: (app) => log.push(`serving ${app.name}`),
    onCrash: ({ code, signal }, willRestart) =>
      log.push(`crash ${signal ?? code}${willRestart ? ', restart' : ''}`),
    onRecovered: ({ type }) => log.push(`recovered: ${type}`),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Resolves when all promises that can settle have settled. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

async function takeLog(): Promise<string[]> {
  await settle();
  return log.splice(0);
}

function app(index: number): FakeApp {
  const found = apps[index];
  if (!found) {
    throw new Error(`Expected app ${index} by now. ${log.join('; ')}`);
  }
  return found;
}

async function boot(index: number): Promise<void> {
  await settle();
  app(index).onPrepared.resolve(PREPARED);
  await settle();
  app(index).onReady.resolve();
  await settle();
}

/** An app that serves, and an empty log. */
async function serving(): Promise<FakeApp> {
  const result = supervisor.restart(because('start'));
  await boot(0);
  expect(await result).toEqual({ type: 'restarted' });
  await takeLog();
  return app(0);
}

describe('a first start', () => {
  it('prepares, starts and then forwards', async () => {
    const result = supervisor.restart(because('start'));
    expect(await takeLog()).toEqual(['spawn a']);
    app(0).onPrepared.resolve(PREPARED);
    expect(await takeLog()).toEqual(['hold: start', 'serving a', 'start a']);
    expect(supervisor.app).toBeUndefined();
    app(0).onReady.resolve();
    expect(await takeLog()).toEqual(['forward to a']);
    expect(await result).toEqual({ type: 'restarted' });
    expect(supervisor.app).toBe(app(0));
  });

  it.each(['prepare', 'boot'])('that fails to %s waits for the next one', async (phase) => {
    const result = supervisor.restart(because('start'));
    await settle();
    if (phase === 'boot') {
      app(0).onPrepared.resolve(PREPARED);
      await settle();
    }
    app(0).fail('no config');
    const { type } = await result;
    expect(type).toBe('down');
    expect((await takeLog()).slice(-2)).toEqual(['kill a', 'fail: no config']);
    const second = supervisor.restart(because('save'));
    await boot(1);
    expect(await second).toEqual({ type: 'restarted' });
  });

  it('reports a process that cannot be made, and is not stuck after it', async () => {
    failSpawn = true;
    expect(await supervisor.restart(because('start'))).toMatchObject({
      type: 'down',
      error: { message: 'Error: no more processes' },
    });
    failSpawn = false;
    const second = supervisor.restart(because('save'));
    await boot(0);
    expect(await second).toEqual({ type: 'restarted' });
  });
});

describe('a restart', () => {
  it('stops the old app when the new one is prepared, and starts the new one when the old one is gone', async () => {
    const a = await serving();
    const result = supervisor.restart(because('.env changed'));
    expect(await takeLog()).toEqual(['spawn b']);
    expect(supervisor.app).toBe(a);
    app(1).onPrepared.resolve(PREPARED);
    expect(await takeLog()).toEqual(['hold: .env changed', 'stop a']);
    a.exit();
    expect(await takeLog()).toEqual(['serving b', 'start b']);
    app(1).onReady.resolve();
    expect(await takeLog()).toEqual(['forward to b']);
    expect(await result).toEqual({ type: 'restarted' });
  });

  it('keeps the old app when the new one cannot be prepared', async () => {
    const a = await serving();
    const result = supervisor.restart(because('config changed'));
    await settle();
    app(1).fail('typo');
    expect(await result).toMatchObject({ type: 'kept-previous', error: { message: 'typo' } });
    expect(await takeLog()).toEqual(['spawn b', 'kill b']);
    expect(supervisor.app).toBe(a);
  });

  it('is down when the new app fails after the old one has made way', async () => {
    const a = await serving();
    const result = supervisor.restart(because('save'));
    await settle();
    app(1).onPrepared.resolve(PREPARED);
    await settle();
    a.exit();
    await settle();
    app(1).fail('no database');
    expect(await result).toMatchObject({ type: 'down', error: { message: 'no database' } });
    expect((await takeLog()).at(-1)).toBe('fail: no database');
    expect(supervisor.app).toBeUndefined();
  });

  describe('with something broken', () => {
    const broken = { module: 'job', message: 'not there' };

    it('keeps the running app if another process fails on it as well', async () => {
      const a = await serving();
      const result = supervisor.restart(because('link changed'), broken);
      expect(await takeLog()).toEqual(['try job in b']);
      app(1).fail('not there');
      expect(await result).toMatchObject({
        type: 'kept-previous',
        error: { message: 'not there' },
      });
      expect(await takeLog()).toEqual(['kill b']);
      expect(supervisor.app).toBe(a);
    });

    it('restarts the app if the other process copes with it', async () => {
      const a = await serving();
      const result = supervisor.restart(because('link changed'), broken);
      await settle();
      app(1).onPrepared.resolve(PREPARED);
      expect(await takeLog()).toEqual(['try job in b', 'kill b', 'spawn c']);
      app(2).onPrepared.resolve(PREPARED);
      await settle();
      a.exit();
      await settle();
      app(2).onReady.resolve();
      expect(await result).toEqual({ type: 'restarted' });
      expect(supervisor.app).toBe(app(2));
    });

    it('restarts the app at once if none runs', async () => {
      const result = supervisor.restart(because('link changed'), broken);
      expect(await takeLog()).toEqual(['spawn a']);
      await boot(0);
      expect(await result).toEqual({ type: 'restarted' });
    });

    it('is down if the app ends while the other process tries', async () => {
      const a = await serving();
      const result = supervisor.restart(because('link changed'), broken);
      await settle();
      a.exit({ code: 1 });
      await settle();
      app(1).fail('not there');
      expect(await result).toMatchObject({ type: 'down', error: { message: 'not there' } });
      expect(await takeLog()).toContain('fail: not there');
    });

    it('ends the other process when the host ends', async () => {
      const a = await serving();
      void supervisor.restart(because('link changed'), broken);
      await settle();
      supervisor.kill();
      await settle();
      expect(await takeLog()).toEqual(['try job in b', 'kill a', 'kill b', 'kill b']);
      expect(a).toBe(app(0));
      expect(apps).toHaveLength(2);
    });
  });

  it('waits for a restart that is under way', async () => {
    const a = await serving();
    const first = supervisor.restart(because('one'));
    const second = supervisor.restart(because('two'));
    await settle();
    app(1).onPrepared.resolve(PREPARED);
    await settle();
    a.exit();
    await settle();
    expect(apps).toHaveLength(2);
    app(1).onReady.resolve();
    expect(await first).toEqual({ type: 'restarted' });
    await settle();
    expect(apps).toHaveLength(3);
    app(2).onPrepared.resolve(PREPARED);
    await settle();
    app(1).exit();
    await boot(2);
    expect(await second).toEqual({ type: 'restarted' });
    expect(supervisor.app).toBe(app(2));
  });

  it('settles once no restart is under way', async () => {
    let isSettled = false;
    void supervisor.restart(because('start'));
    void supervisor.settled().then(() => {
      isSettled = true;
    });
    await settle();
    expect(isSettled).toBe(false);
    await boot(0);
    expect(isSettled).toBe(true);
  });

  it('hurries the app on its way up, and no other', async () => {
    await serving();
    supervisor.hurry();
    expect(await takeLog()).toEqual([]);
    void supervisor.restart(because('save'));
    await settle();
    supervisor.hurry();
    expect(await takeLog()).toEqual(['spawn b', 'hurry b']);
  });
});

describe('a spare that turns out to be unfit', () => {
  it('while it is prepared gives way to a new process, and the old app serves on', async () => {
    const a = await serving();
    const result = supervisor.restart(because('.env changed'));
    await settle();
    app(1).misfit('the variable X has changed');
    expect(await takeLog()).toEqual(['spawn b', 'kill b', 'respawn c: the variable X has changed']);
    expect(supervisor.app).toBe(a);
    app(2).onPrepared.resolve(PREPARED);
    expect(await takeLog()).toEqual(['hold: .env changed', 'stop a']);
    a.exit();
    await settle();
    app(2).onReady.resolve();
    expect(await result).toEqual({ type: 'restarted' });
    expect(supervisor.app).toBe(app(2));
  });

  it('while it boots gives way to a new process, but only after its exit', async () => {
    const a = await serving();
    const result = supervisor.restart(because('save'));
    await settle();
    app(1).onPrepared.resolve(PREPARED);
    await settle();
    a.exit();
    await takeLog();
    vi.spyOn(app(1), 'kill').mockImplementation(() => log.push('kill b'));
    app(1).misfit('a flag has changed');
    expect(await takeLog()).toEqual(['kill b']);
    app(1).exit(KILLED);
    expect(await takeLog()).toEqual(['respawn c: a flag has changed']);
    await boot(2);
    expect(await result).toEqual({ type: 'restarted' });
    expect((await takeLog()).at(-1)).toBe('forward to c');
  });

  it('does not report its error: the new process reports its own', async () => {
    const a = await serving();
    const result = supervisor.restart(because('config changed'));
    await settle();
    app(1).misfit('it exited with code 1');
    await settle();
    app(2).fail('typo');
    expect(await result).toMatchObject({ type: 'kept-previous', error: { message: 'typo' } });
    expect(supervisor.app).toBe(a);
  });

  it('is no crash, and a crash of the app meanwhile counts once', async () => {
    const a = await serving();
    a.exit({ code: 1 });
    await settle();
    app(1).misfit('old');
    await boot(2);
    const lines = await takeLog();
    expect(lines.filter((line) => line.startsWith('crash'))).toHaveLength(1);
    expect(lines.at(-1)).toBe('recovered: restarted');
  });

  it('gets no successor once the supervisor is closed', async () => {
    const a = await serving();
    const result = supervisor.restart(because('save'));
    await settle();
    const closed = supervisor.close();
    app(1).misfit('old');
    app(1).exit();
    a.exit();
    await closed;
    expect((await result).type).toBe('kept-previous');
    expect(apps).toHaveLength(2);
  });
});

describe('events in an unusual order', () => {
  it('takes `ready` that comes before anyone waits for it', async () => {
    const result = supervisor.restart(because('start'));
    await settle();
    app(0).onReady.resolve();
    app(0).onPrepared.resolve(PREPARED);
    expect(await result).toEqual({ type: 'restarted' });
  });

  it('notices an app that exits the moment it gets ready', async () => {
    const result = supervisor.restart(because('start'));
    await settle();
    app(0).onPrepared.resolve(PREPARED);
    await settle();
    app(0).onReady.resolve();
    app(0).exit({ code: 1 });
    expect(await result).toEqual({ type: 'restarted' });
    expect((await takeLog()).slice(-4)).toEqual([
      'forward to a',
      'hold: the app exited with code 1',
      'crash 1, restart',
      'spawn b',
    ]);
  });

  it('is down when the new app exits while the old one still stops', async () => {
    const a = await serving();
    const result = supervisor.restart(because('save'));
    await settle();
    app(1).onPrepared.resolve(PREPARED);
    await settle();
    app(1).exit({ code: 1 });
    await settle();
    expect(supervisor.app).toBeUndefined();
    a.exit();
    expect(await result).toMatchObject({ type: 'down' });
  });

  it('restarts once when the app crashes while the next one is prepared', async () => {
    const a = await serving();
    const result = supervisor.restart(because('save'));
    await settle();
    a.exit({ code: 9 });
    expect(await takeLog()).toEqual([
      'spawn b',
      'hold: the app exited with code 9',
      'crash 9, restart',
    ]);
    await boot(1);
    expect(await result).toEqual({ type: 'restarted' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(apps).toHaveLength(2);
  });

  it('does not count the end of an app that was asked to stop as a crash', async () => {
    const a = await serving();
    void supervisor.restart(because('save'));
    await settle();
    app(1).onPrepared.resolve(PREPARED);
    await settle();
    a.exit({ code: 143 });
    await boot(1);
    expect((await takeLog()).filter((line) => line.startsWith('crash'))).toEqual([]);
  });

  it('goes on forwarding to the next app when a reload of the previous one is given up late', async () => {
    const a = await serving();
    const reload = supervisor.reload(EMPTY_PLAN);
    a.onExited.resolve({ code: 1, signal: null, stderr: '' });
    await vi.advanceTimersByTimeAsync(0);
    await boot(1);
    expect((await takeLog()).at(-1)).toBe('recovered: restarted');
    a.onReload.resolve({ type: 'hung', reason: because('no answer') });
    expect(await reload).toEqual({ type: 'restart-needed', reason: because('no answer') });
    expect(await takeLog()).toEqual(['kill a']);
    expect(supervisor.app).toBe(app(1));
  });
});

describe('a reload', () => {
  it('returns the outcome that the app gives', async () => {
    const a = await serving();
    const reload = supervisor.reload(EMPTY_PLAN);
    a.onReload.resolve(RELOADED);
    expect(await reload).toBe(RELOADED);
    expect(await takeLog()).toEqual([]);
  });

  it('has no outcome without an app', async () => {
    expect(await supervisor.reload(EMPTY_PLAN)).toBeUndefined();
  });

  it('kills an app that hangs, and waits for its end before another one may run', async () => {
    const a = await serving();
    vi.spyOn(a, 'kill').mockImplementation(() => log.push('kill a'));
    const reload = supervisor.reload(EMPTY_PLAN);
    a.onReload.resolve({ type: 'hung', reason: because('no answer') });
    expect(await takeLog()).toEqual(['hold: no answer', 'kill a']);
    expect(supervisor.app).toBeUndefined();
    a.exit(KILLED);
    expect(await reload).toEqual({ type: 'restart-needed', reason: because('no answer') });
    expect(await takeLog()).toEqual([]);
  });
});

describe('a crash', () => {
  it('of an app that was stable is followed by a restart at once', async () => {
    const a = await serving();
    await vi.advanceTimersByTimeAsync(10_000);
    a.exit({ code: null, signal: 'SIGKILL' });
    expect(await takeLog()).toEqual([
      'hold: the app exited by SIGKILL',
      'crash SIGKILL, restart',
      'spawn b',
    ]);
    await boot(1);
    expect((await takeLog()).at(-1)).toBe('recovered: restarted');
  });

  it('that recurs leads to longer waits, and at last to a wait for the next change', async () => {
    await serving();
    for (const [index, delay] of [0, 500, 2_000, 5_000].entries()) {
      app(index).exit({ code: 1 });
      await settle();
      if (delay > 0) {
        await vi.advanceTimersByTimeAsync(delay - 1);
        expect(apps).toHaveLength(index + 1);
        await vi.advanceTimersByTimeAsync(1);
      }
      expect(apps).toHaveLength(index + 2);
      await boot(index + 1);
    }
    await takeLog();
    app(4).exit({ code: 1 });
    expect(await takeLog()).toEqual([
      'fail: The app exited with code 1, again and again. The next save starts it.',
      'crash 1',
    ]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(apps).toHaveLength(5);
    void supervisor.restart(because('save'));
    await settle();
    expect(apps).toHaveLength(6);
  });

  it('counts anew after the app was stable', async () => {
    await serving();
    for (let index = 0; index < 6; index++) {
      await vi.advanceTimersByTimeAsync(2_000);
      app(index).exit({ code: 1 });
      await boot(index + 1);
    }
    expect(supervisor.app).toBe(app(6));
  });

  it('counts anew after a change that restarted the app', async () => {
    await serving();
    for (let index = 0; index < 12; index += 2) {
      app(index).exit({ code: 1 });
      await boot(index + 1);
      void supervisor.restart(because('save'));
      await settle();
      app(index + 2).onPrepared.resolve(PREPARED);
      await settle();
      app(index + 1).exit();
      await boot(index + 2);
    }
    expect(supervisor.app).toBe(app(12));
  });

  it('counts anew after a change that reloaded', async () => {
    await serving();
    for (let index = 0; index < 6; index++) {
      app(index).onReload.resolve(RELOADED);
      await supervisor.reload(EMPTY_PLAN);
      app(index).exit({ code: 1 });
      await boot(index + 1);
    }
    expect(supervisor.app).toBe(app(6));
  });

  it('whose restart fails is reported, and waits for the next change', async () => {
    const a = await serving();
    a.exit({ code: 1 });
    await settle();
    app(1).fail('broken meanwhile');
    expect((await takeLog()).slice(-2)).toEqual(['fail: broken meanwhile', 'recovered: down']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(apps).toHaveLength(2);
  });

  it('does not wait for its delay when a change comes', async () => {
    await serving();
    app(0).exit({ code: 1 });
    await boot(1);
    app(1).exit({ code: 1 });
    await settle();
    expect(apps).toHaveLength(2);
    const result = supervisor.restart(because('save'));
    await boot(2);
    expect(await result).toEqual({ type: 'restarted' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(apps).toHaveLength(3);
  });
});

describe('closing', () => {
  it('stops the app', async () => {
    const a = await serving();
    const closed = supervisor.close();
    expect(await takeLog()).toEqual(['stop a']);
    a.exit();
    await closed;
    expect(await takeLog()).toEqual([]);
  });

  it('stops both apps of a restart', async () => {
    const a = await serving();
    const result = supervisor.restart(because('save'));
    await settle();
    app(1).onPrepared.resolve(PREPARED);
    await settle();
    await takeLog();
    const closed = supervisor.close();
    expect(await takeLog()).toEqual(['stop b', 'stop a']);
    app(1).exit();
    a.exit();
    await closed;
    expect((await result).type).toBe('down');
    expect(await takeLog()).not.toContain('start b');
  });

  it('starts nothing any more', async () => {
    const a = await serving();
    a.exit({ code: 1 });
    await settle();
    const closed = supervisor.close();
    app(1).exit();
    await closed;
    const { type }: RestartResult = await supervisor.restart(because('save'));
    expect(type).toBe('down');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(apps).toHaveLength(2);
  });

  it('kills all apps at once', async () => {
    const a = await serving();
    void supervisor.restart(because('save'));
    await settle();
    supervisor.kill();
    expect(await takeLog()).toEqual(expect.arrayContaining(['kill a', 'kill b']));
    expect(await a.exited).toEqual(KILLED);
  });
});
