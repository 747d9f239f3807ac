import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ForkedProcess, type ForkOptions } from '../../../../src/shared/process/forked-process.ts';

type Ask = { type: 'ask'; id: number };
type Answer = { type: 'answer'; id: number };

class FakeProcess extends EventEmitter {
  pid: number | undefined = 4711;
  connected = true;
  readonly stderr = new PassThrough();
  readonly signals: string[] = [];
  readonly channel = { unref: vi.fn() };
  readonly ref = vi.fn();
  readonly unref = vi.fn();
  readonly disconnect = vi.fn(() => {
    this.connected = false;
  });

  send(): boolean {
    return true;
  }

  kill(signal: string): boolean {
    this.signals.push(signal);
    return true;
  }
}

const forks = vi.hoisted(() => ({ fake: undefined as unknown, calls: [] as unknown[][] }));
vi.mock('node:child_process', () => ({
  fork: (...call: unknown[]) => {
    forks.calls.push(call);
    return forks.fake;
  },
  spawn: () => {},
}));

const OPTIONS: ForkOptions = {
  file: new URL('file:///package/main.js'),
  cwd: '/shop',
  env: { STAGE: 'one' },
  stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
};

let fake: FakeProcess;
let told: string[];
let forked: ForkedProcess<Ask, Answer, { ask: 'answer' }>;

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeProcess();
  told = [];
  forks.fake = fake;
  forks.calls = [];
  forked = new ForkedProcess({ ...OPTIONS, onStderr: (data) => told.push(String(data)) }, {});
  void forked.exited.then(() => told.push('exited'));
});

afterEach(() => {
  vi.useRealTimers();
});

it('has the environment and the arguments that it is given, and nothing of those of this process', () => {
  expect(forks.calls).toMatchObject([
    [expect.anything(), [], { cwd: '/shop', env: { STAGE: 'one' }, execArgv: [], detached: false }],
  ]);
});

describe('an exit', () => {
  it('comes with the last words that are still in the pipe', async () => {
    fake.stderr.emit('data', Buffer.from('first, '));
    fake.emit('exit', 1, null);
    expect(forked.isAlive).toBe(false);
    fake.stderr.emit('data', Buffer.from('last'));
    expect(told).toEqual(['first, ', 'last']);
    fake.stderr.destroy();
    expect(await forked.exited).toEqual({ code: 1, signal: null, stderr: 'first, last' });
  });

  it('does not wait for ever for a pipe that processes it has started hold open', async () => {
    fake.emit('exit', null, 'SIGKILL');
    await vi.advanceTimersByTimeAsync(249);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual(['exited']);
  });

  it('in order has no last words', async () => {
    fake.emit('exit', 0, null);
    expect(await forked.exited).toEqual({ code: 0, signal: null, stderr: '' });
  });

  it('is told before the requests that it leaves without a reply', async () => {
    void forked.link.request({ type: 'ask' }).then((reply) => told.push(String(reply)));
    fake.emit('exit', 0, null);
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['exited', 'undefined']);
  });

  it('keeps the end of what was written', async () => {
    fake.stderr.emit('data', Buffer.from(`${'a'.repeat(5_000)}end`));
    fake.emit('exit', 0, null);
    const { stderr } = await forked.exited;
    expect(stderr).toHaveLength(4_000);
    expect(stderr).toMatch(/aend$/);
  });

  it('is that of a process that could not be started', async () => {
    fake.pid = undefined;
    const error = new Error('spawn ENOENT');
    fake.emit('error', error);
    expect(forked.isAlive).toBe(false);
    expect(await forked.exited).toEqual({ code: null, signal: null, stderr: '', error });
  });

  it('is not that of a process which only could not be told something', async () => {
    fake.emit('error', new Error('EPIPE'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(forked.isAlive).toBe(true);
    expect(told).toEqual([]);
  });
});

describe('a kill', () => {
  it('comes once, and not to a process that has exited', () => {
    forked.kill();
    forked.kill();
    expect(fake.signals).toEqual(['SIGKILL']);
    expect(forked.isKilled).toBe(true);
    fake = new FakeProcess();
    forks.fake = fake;
    forked = new ForkedProcess(OPTIONS, {});
    fake.emit('exit', 0, null);
    forked.kill();
    expect(fake.signals).toEqual([]);
    expect(forked.isKilled).toBe(false);
  });
});

describe('a stop', () => {
  it('waits for a process that ends as it is asked to', async () => {
    const stopped = forked.stop(() => forked.disconnect(), 100);
    expect(fake.disconnect).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(99);
    fake.emit('exit', 0, null);
    expect(await stopped).toMatchObject({ code: 0 });
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.signals).toEqual([]);
  });

  it('kills a process that does not, and this one waits for its end', async () => {
    forked.unref();
    expect(fake.unref).toHaveBeenCalledOnce();
    const stopped = forked.stop(() => {}, 100);
    expect(fake.ref).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.signals).toEqual(['SIGKILL']);
    fake.emit('exit', null, 'SIGKILL');
    await vi.advanceTimersByTimeAsync(250);
    expect(await stopped).toMatchObject({ signal: 'SIGKILL' });
  });

  it('asks nothing of a process that has exited', async () => {
    fake.emit('exit', 3, null);
    fake.stderr.destroy();
    const ask = vi.fn();
    expect(await forked.stop(ask, 100)).toMatchObject({ code: 3 });
    expect(ask).not.toHaveBeenCalled();
  });
});
