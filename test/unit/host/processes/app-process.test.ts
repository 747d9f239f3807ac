import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppProcess } from '../../../../src/host/processes/app-process.ts';
import { UnfitAppError } from '../../../../src/host/processes/process-failure.ts';
import type { AppOptions, AppToHost, HostToApp } from '../../../../src/protocol/messages.ts';
import { EMPTY_PLAN, reloaded } from '../../support/reloads.ts';

/** A process that sends only the messages that the test gives it. */
class FakeProcess extends EventEmitter {
  readonly pid = 4711;
  readonly connected = true;
  readonly sent: HostToApp[] = [];
  readonly stderr = new PassThrough();
  readonly stdio = [null, null, this.stderr, null, new PassThrough(), new PassThrough()];
  killed: string[] = [];

  send(message: HostToApp): boolean {
    this.sent.push(message);
    return true;
  }

  kill(signal: string): boolean {
    this.killed.push(signal);
    return true;
  }

  says(message: AppToHost): void {
    this.emit('message', message);
  }

  answersPings(): void {
    for (const message of this.sent.splice(0)) {
      if (message.type === 'ping') {
        this.says({ type: 'pong' });
      } else {
        this.sent.push(message);
      }
    }
  }

  /** Ids of the requested reloads. */
  get reloads(): number[] {
    return this.sent.flatMap((message) => (message.type === 'hmr-reload' ? message.id : []));
  }
}

const forked = vi.hoisted(() => ({ fake: undefined as unknown }));
vi.mock('node:child_process', () => ({ fork: () => forked.fake, spawn: () => {} }));

const OPTIONS: AppOptions = {
  root: '/shop',
  port: 0,
  host: undefined,
  types: false,
  inspect: undefined,
  reloaders: [],
  isSpare: false,
  trial: undefined,
};

let fake: FakeProcess;
let app: AppProcess;

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeProcess();
  forked.fake = fake as unknown as ChildProcess;
  app = new AppProcess({
    app: OPTIONS,
    env: {},
    nodeArgs: [],
    isStdoutTaken: false,
  });
  app.keep({
    servePipe: () => {},
    onLoaded: () => {},
    onWarning: () => {},
    onInvalidate: () => {},
    sessions: () => ({}),
    onSessions: () => {},
    onAdminWanted: () => {},
    onAdminRetry: () => {},
  });
  fake.says({ type: 'ready' });
});

afterEach(() => {
  vi.useRealTimers();
});

/** The outcome of a reload so far, `undefined` while it is under way. */
function follow(reload: Promise<unknown>): { outcome: unknown } {
  const followed = { outcome: undefined as unknown };
  void reload.then((outcome) => {
    followed.outcome = outcome;
  });
  return followed;
}

describe('a reply', () => {
  it('goes to the request that has its id', async () => {
    const reload = app.reload(EMPTY_PLAN);
    fake.says({ type: 'hmr-result', id: fake.reloads[0] ?? 0, outcome: reloaded('route GET /') });
    expect(await reload).toEqual(reloaded('route GET /'));
  });

  it('that comes late is dropped: the next request waits for its own', async () => {
    const first = app.reload(EMPTY_PLAN);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await first).toMatchObject({ type: 'hung' });
    const second = follow(app.reload(EMPTY_PLAN));
    const [firstId = 0, secondId = 0] = fake.reloads;
    fake.says({ type: 'hmr-result', id: firstId, outcome: reloaded('too late') });
    await vi.advanceTimersByTimeAsync(1);
    expect(second.outcome).toBeUndefined();
    fake.says({ type: 'hmr-result', id: secondId, outcome: reloaded('its own') });
    await vi.advanceTimersByTimeAsync(1);
    expect(second.outcome).toEqual(reloaded('its own'));
  });

  it('with an id that nobody knows, or that comes twice, is dropped', async () => {
    const reload = follow(app.reload(EMPTY_PLAN));
    const [id = 0] = fake.reloads;
    fake.says({ type: 'hmr-result', id: id + 1_000, outcome: reloaded('unknown') });
    await vi.advanceTimersByTimeAsync(1);
    expect(reload.outcome).toBeUndefined();
    fake.says({ type: 'hmr-result', id, outcome: reloaded('first') });
    fake.says({ type: 'hmr-result', id, outcome: reloaded('second') });
    await vi.advanceTimersByTimeAsync(1);
    expect(reload.outcome).toEqual(reloaded('first'));
  });
});

describe('an app that does not answer', () => {
  it('during a reload is noticed within 3 s', async () => {
    const reload = follow(app.reload(EMPTY_PLAN));
    await vi.advanceTimersByTimeAsync(2_500);
    expect(reload.outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(500);
    expect(reload.outcome).toMatchObject({ type: 'hung' });
  });

  it('is distinguished from one that answers and takes its time, up to a limit', async () => {
    const reload = follow(app.reload(EMPTY_PLAN));
    for (let ms = 0; ms < 19_000; ms += 250) {
      await vi.advanceTimersByTimeAsync(250);
      fake.answersPings();
    }
    expect(reload.outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reload.outcome).toMatchObject({
      type: 'hung',
      reason: { type: 'reload-too-slow', limitMs: 20_000 },
    });
  });

  it('under a debugger, even one attached later, may stand at a breakpoint in a reload', async () => {
    fake.says({ type: 'debugged' });
    const reload = follow(app.reload(EMPTY_PLAN));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reload.outcome).toBeUndefined();
    expect(fake.killed).toEqual([]);
  });

  it('because Medusa keeps it busy gets more time, until Medusa is done', async () => {
    fake.says({ type: 'busy', isBusy: true });
    const reload = follow(app.reload(EMPTY_PLAN));
    await vi.advanceTimersByTimeAsync(9_500);
    expect(reload.outcome).toBeUndefined();
    fake.says({ type: 'busy', isBusy: false });
    await vi.advanceTimersByTimeAsync(500);
    expect(reload.outcome).toMatchObject({ type: 'hung' });
  });

  it('is not given up when the host itself stood still', async () => {
    const reload = follow(app.reload(EMPTY_PLAN));
    await vi.advanceTimersByTimeAsync(1_000);
    const { now } = performance;
    const asleep = vi.spyOn(performance, 'now').mockImplementation(() => now() + 15_000);
    await vi.advanceTimersByTimeAsync(250);
    expect(reload.outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2_750);
    expect(reload.outcome).toMatchObject({ type: 'hung' });
    asleep.mockRestore();
  });

  it('leaves no request waiting once it has exited', async () => {
    const order: string[] = [];
    void app.exited.then(() => order.push('exited'));
    const reload = app.reload(EMPTY_PLAN);
    void reload.then(() => order.push('told'));
    fake.emit('exit', null, 'SIGKILL');
    expect(app.isAlive).toBe(false);
    fake.stderr.destroy();
    expect(await reload).toEqual({
      type: 'restart-needed',
      reason: { type: 'app-exited', code: null, signal: 'SIGKILL' },
    });
    expect(order).toEqual(['exited', 'told']);
  });
});

describe('an app that is asked to stop', () => {
  it('has 5 s from the moment it hears of the stop', async () => {
    fake.says({ type: 'busy', isBusy: true });
    void app.stop();
    await vi.advanceTimersByTimeAsync(9_500);
    fake.says({ type: 'busy', isBusy: false });
    for (let ms = 0; ms < 5_000; ms += 250) {
      fake.answersPings();
      expect(fake.killed).toEqual([]);
      await vi.advanceTimersByTimeAsync(250);
    }
    fake.answersPings();
    await vi.advanceTimersByTimeAsync(250);
    expect(fake.killed).toEqual(['SIGKILL']);
  });

  it('and does not answer is killed sooner', async () => {
    void app.stop();
    await vi.advanceTimersByTimeAsync(2_500);
    expect(fake.killed).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(fake.killed).toContain('SIGKILL');
  });
});

describe('a boot', () => {
  let boot: { error: unknown };

  beforeEach(() => {
    fake = new FakeProcess();
    forked.fake = fake as unknown as ChildProcess;
    app = new AppProcess({ app: OPTIONS, env: {}, nodeArgs: [], isStdoutTaken: false });
    boot = { error: undefined };
    app.ready.catch((error: unknown) => {
      boot.error = error;
    });
  });

  /** Lets time pass for an app whose event loop turns. */
  async function wait(seconds: number): Promise<void> {
    for (let quarter = 0; quarter < seconds * 4; quarter++) {
      await vi.advanceTimersByTimeAsync(250);
      fake.answersPings();
    }
  }

  it('that waits in vain is given up', async () => {
    await wait(110);
    fake.says({
      type: 'prepared',
      app: { backendHmr: true, adminPath: '/app' },
    });
    await wait(119);
    expect(fake.killed).toEqual([]);
    await wait(2);
    expect(fake.killed).toEqual(['SIGKILL']);
    expect(boot.error).toMatchObject({
      message: expect.stringContaining('has not become ready for 120 s'),
    });
  });

  it('that waits in vain is given up sooner when a change waits', async () => {
    await wait(20);
    app.hurry();
    await wait(9);
    expect(fake.killed).toEqual([]);
    await wait(2);
    expect(fake.killed).toEqual(['SIGKILL']);
  });

  it('is not given up any more once it is ready', async () => {
    fake.says({ type: 'ready' });
    await wait(200);
    expect(fake.killed).toEqual([]);
  });

  it('under a debugger may take as long as it likes', async () => {
    fake = new FakeProcess();
    forked.fake = fake as unknown as ChildProcess;
    const debugged = { ...OPTIONS, inspect: { port: 9229, host: 'localhost', wait: false } };
    void new AppProcess({ app: debugged, env: {}, nodeArgs: [], isStdoutTaken: false });
    await wait(200);
    expect(fake.killed).toEqual([]);
  });
});

describe('a stop', () => {
  it('of an app that answers and does not exit is ended after 5 s', async () => {
    void app.stop();
    for (let ms = 0; ms < 5_000; ms += 250) {
      await vi.advanceTimersByTimeAsync(250);
      fake.answersPings();
    }
    expect(fake.sent).toContainEqual({ type: 'shutdown' });
    expect(fake.killed).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(fake.killed).toEqual(['SIGKILL']);
  });

  it('of an app that does not answer is ended sooner', async () => {
    void app.stop();
    await vi.advanceTimersByTimeAsync(2_500);
    expect(fake.killed).toEqual([]);
    await vi.advanceTimersByTimeAsync(250);
    expect(fake.killed).toEqual(['SIGKILL']);
  });

  it('of an app that comes to a breakpoint meanwhile is ended after 5 s', async () => {
    void app.stop();
    fake.says({ type: 'debugged' });
    await vi.advanceTimersByTimeAsync(4_750);
    expect(fake.killed).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(fake.killed).toEqual(['SIGKILL']);
  });

  it('sends no signal to an app that exits by itself', async () => {
    const stopped = app.stop();
    fake.emit('exit', 0, null);
    expect(await stopped).toMatchObject({ code: 0 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(fake.killed).toEqual([]);
  });
});

describe('a spare', () => {
  const env = { STAGE: 'two' };
  let spare: AppProcess;

  beforeEach(() => {
    fake = new FakeProcess();
    forked.fake = fake as unknown as ChildProcess;
    spare = new AppProcess({
      app: { ...OPTIONS, isSpare: true },
      env: {},
      nodeArgs: [],
      isStdoutTaken: false,
    });
  });

  it('is left alone until it is activated, however long that takes', async () => {
    spare.preload(null);
    fake.says({ type: 'preloaded', files: 7 });
    expect(await spare.preloaded).toBe(7);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(fake.sent).toEqual([{ type: 'preload', packages: null }]);
    expect(fake.killed).toEqual([]);
    spare.activate({ env, reloaders: [] });
    await vi.advanceTimersByTimeAsync(300);
    expect(fake.sent[1]).toEqual({ type: 'activate', env, reloaders: [] });
    expect(fake.sent[2]).toMatchObject({ type: 'ping' });
    await vi.advanceTimersByTimeAsync(25_000);
    expect(fake.killed).toEqual(['SIGKILL']);
  });

  it('prints its held output only once it is the app', async () => {
    const written: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    });
    fake.stderr.emit('data', Buffer.from('early'));
    expect(written).toEqual([]);
    spare.activate({ env, reloaders: [] });
    fake.stderr.emit('data', Buffer.from('late'));
    write.mockRestore();
    expect(written).toEqual(['early', 'late']);
  });

  it('that is unfit says whether it was prepared', async () => {
    fake.says({ type: 'unfit', reason: 'the variable X has changed' });
    await expect(spare.prepared).rejects.toThrow(UnfitAppError);
    await expect(spare.prepared).rejects.toMatchObject({
      message: 'the variable X has changed',
      wasPrepared: false,
    });
    await expect(spare.ready).rejects.toThrow(UnfitAppError);
  });

  it('that exits by itself is unfit, however far it came', async () => {
    fake.says({
      type: 'prepared',
      app: { backendHmr: true, adminPath: null },
    });
    fake.emit('exit', 1, null);
    fake.stderr.destroy();
    await expect(spare.ready).rejects.toMatchObject({ name: 'UnfitAppError', wasPrepared: true });
    expect(await spare.listPackages()).toBeNull();
  });
});
