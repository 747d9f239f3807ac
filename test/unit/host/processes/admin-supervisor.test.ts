import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AdminRun, AdminSupervisor } from '../../../../src/host/processes/admin-supervisor.ts';
import { BootError } from '../../../../src/host/processes/process-failure.ts';
import type { AdminAddress, AdminRequest, AdminState } from '../../../../src/protocol/admin.ts';
import { createDeferred } from '../../../../src/shared/deferred.ts';
import { toPosix } from '../../../../src/shared/paths.ts';
import type { SerializedError } from '../../../../src/shared/serialized-error.ts';

class FakeRun implements AdminRun {
  readonly #ready = createDeferred<AdminAddress>();
  readonly #exited = createDeferred<SerializedError>();
  readonly ready = this.#ready.promise;
  readonly exited = this.#exited.promise;
  readonly request: AdminRequest;
  readonly hmrPort: number | undefined;
  outdated = false;
  hasEnded = false;

  constructor(request: AdminRequest, hmrPort: number | undefined) {
    this.request = request;
    this.hmrPort = hmrPort;
    this.ready.catch(() => {});
  }

  serve(port: number): void {
    this.#ready.resolve({ port, hmrPort: port + 1 });
  }
  end(message: string): void {
    this.hasEnded = true;
    this.#ready.reject(new BootError({ name: 'Error', message }));
    this.#exited.resolve({ name: 'Error', message });
  }
  async isOutdated(): Promise<boolean> {
    return this.outdated;
  }
  async stop(): Promise<void> {
    this.end('stopped');
  }
  kill(): void {
    this.end('killed');
  }
}

let root: string;
let runs: FakeRun[];
let states: AdminState[];
let failures: string[];
let admin: AdminSupervisor;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  root = toPosix(mkdtempSync(join(tmpdir(), 'medusa-vite-admin-')));
  // A repository begins here: lockfiles above it are not the project's.
  mkdirSync(`${root}/.git`);
  runs = [];
  states = [];
  failures = [];
  admin = new AdminSupervisor({
    root,
    spawn(request, hmrPort) {
      const run = new FakeRun(request, hmrPort);
      runs.push(run);
      return run;
    },
    onState: (state) => states.push(state),
    onFailure: ({ message }, headline) => failures.push(`${headline}: ${message}`),
    onNote: () => {},
  });
});

afterEach(async () => {
  await admin.close();
  rmSync(root, { recursive: true });
  vi.useRealTimers();
});

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

function request(given: Partial<AdminRequest> = {}): AdminRequest {
  return { bundler: '/bundler.js', options: 'a', functions: [], env: { PATH: '/' }, ...given };
}

/** Asks for an admin process, and waits until the request has taken effect. */
async function want(wanted: AdminRequest | undefined): Promise<void> {
  admin.want(wanted);
  await settle();
}

async function start(wanted: AdminRequest = request()): Promise<FakeRun> {
  await want(wanted);
  const run = runs.at(-1) as FakeRun;
  run.serve(4000);
  await settle();
  return run;
}

test('publishes that the process starts, and where it serves', async () => {
  await start();
  expect(states).toEqual([{ type: 'starting' }, { type: 'ready', port: 4000 }]);
});

describe('a new app', () => {
  test('gets the running process', async () => {
    await start();
    await want(request({ env: { PATH: '/elsewhere', PORT: '9000' } }));
    expect(runs.length).toBe(1);
    expect(states.at(-1)).toEqual({ type: 'ready', port: 4000 });
  });

  test('gets a process that is still starting', async () => {
    await want(request());
    await want(request());
    expect(runs.length).toBe(1);
    runs[0]?.serve(4000);
    await settle();
    expect(states.at(-1)).toEqual({ type: 'ready', port: 4000 });
  });

  test.each([
    ['other options', request({ options: 'b' })],
    ['another bundler', request({ bundler: '/other.js' })],
    ['another setting in the environment', request({ env: { PATH: '/', VITE_URL: '/x' } })],
    ['a function', request({ functions: ['vite'] })],
  ])('gets a new process for %s, on the same HMR port', async (_what, next) => {
    const first = await start();
    await want(next);
    expect(first.hasEnded).toBe(true);
    expect(runs.map(({ hmrPort }) => hmrPort)).toEqual([undefined, 4001]);
    expect(runs[1]?.request).toBe(next);
    expect(states.at(-1)).toEqual({ type: 'starting' });
    expect(failures).toEqual([]);
  });

  test('gets a new process when other packages are installed', async () => {
    await start();
    writeFileSync(`${root}/package-lock.json`, '{}');
    await want(request());
    expect(runs.length).toBe(2);
  });

  test('gets a new process when a function has changed', async () => {
    const first = await start(request({ functions: ['vite'] }));
    await want(request({ functions: ['vite'] }));
    expect(runs.length).toBe(1);
    first.outdated = true;
    await want(request({ functions: ['vite'] }));
    expect(runs.length).toBe(2);
  });

  test('gets a new process when a function may read a new variable of the environment', async () => {
    await start(request({ functions: ['vite'] }));
    await want(request({ functions: ['vite'], env: { PATH: '/', ANY: 'thing' } }));
    expect(runs.length).toBe(2);
  });

  test('does not wait for a process in an endless loop', async () => {
    await want(request({ functions: ['vite'] }));
    await want(request({ functions: ['vite'] }));
    expect(runs.map(({ hasEnded }) => hasEnded)).toEqual([true, false]);
    expect(failures).toEqual([]);
  });

  test('may need no process', async () => {
    const first = await start();
    await want(undefined);
    expect(first.hasEnded).toBe(true);
    expect(runs.length).toBe(1);
  });
});

describe('a process that fails to start', () => {
  beforeEach(async () => {
    await want(request());
    runs[0]?.end('no such plugin');
    await settle();
  });

  test('is reported, with the reason', () => {
    expect(failures).toEqual(['the admin could not be started: no such plugin']);
    expect(states.at(-1)).toMatchObject({ type: 'failed', error: { message: 'no such plugin' } });
  });

  test.each([
    ['a request', () => admin.retry()],
    ['a change', () => admin.onChange()],
    ['a new app', () => admin.want(request())],
  ])('is started by %s', async (_what, ask) => {
    ask();
    expect(states.at(-1)).toEqual({ type: 'starting' });
    await settle();
    runs[1]?.serve(4000);
    await settle();
    expect(states.at(-1)).toEqual({ type: 'ready', port: 4000 });
  });
});

describe('a process that crashes', () => {
  test('is started again at once, while requests wait', async () => {
    const first = await start();
    vi.advanceTimersByTime(10_000);
    first.end('exited by SIGKILL');
    await settle();
    expect(runs.map(({ hmrPort }) => hmrPort)).toEqual([undefined, 4001]);
    expect(states.map(({ type }) => type)).toEqual(['starting', 'ready', 'starting', 'starting']);
    expect(failures).toEqual(['the admin ended by itself: exited by SIGKILL']);
  });

  test('is not started again by itself if it had only just started', async () => {
    const first = await start();
    first.end('exited with code 1');
    await settle();
    expect(runs.length).toBe(1);
    expect(states.at(-1)?.type).toBe('failed');
  });
});

test('publishes the state again when a retry is not needed', async () => {
  await start();
  admin.retry();
  await settle();
  expect(runs.length).toBe(1);
  expect(states.at(-1)).toEqual({ type: 'ready', port: 4000 });
});

test('starts nothing once it is closed', async () => {
  const first = await start();
  await admin.close();
  expect(first.hasEnded).toBe(true);
  await want(request());
  expect(runs.length).toBe(1);
  expect(failures).toEqual([]);
});

test('kills a run that is about to stop for a person who does not want to wait', async () => {
  const run = await start();
  vi.spyOn(run, 'stop').mockImplementation(async () => {
    await run.exited;
  });
  const closed = admin.close();
  expect(run.hasEnded).toBe(false);
  admin.kill();
  expect(run.hasEnded).toBe(true);
  await closed;
});
