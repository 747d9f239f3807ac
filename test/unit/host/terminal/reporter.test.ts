import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createJsonReporter,
  createTerminalReporter,
  type ReadyEvent,
  type TerminalReporterOptions,
} from '../../../../src/host/terminal/reporter.ts';
import type { UpdateResult } from '../../../../src/protocol/update.ts';
import type { SerializedError } from '../../../../src/shared/serialized-error.ts';
import { because } from '../../support/because.ts';

const root = '/shop';
const ready: ReadyEvent = {
  event: 'ready',
  port: 9000,
  url: 'http://localhost:9000',
  pid: 1,
  hmr: true,
  ms: 4100.4,
};
const reloaded: Extract<UpdateResult, { type: 'reloaded' }> = {
  type: 'reloaded',
  files: ['/shop/src/api/x/route.ts'],
  resources: ['route GET /x'],
  modules: 1,
  ms: 8.6,
  timing: {
    watch: 4.42,
    plan: 0.2,
    transform: 1.34,
    evaluate: 0.7,
    prepare: 0,
    commit: 0.1,
    ipc: 1.9,
  },
};
const error: SerializedError = {
  name: 'TypeError',
  message: 'x is undefined',
  file: '/shop/src/api/x/route.ts',
  line: 3,
  column: 7,
  frame: '> 3 | x.y',
  stack: 'TypeError: x is undefined\n    at /shop/src/api/x/route.ts:3:7',
};
const kept: UpdateResult = {
  type: 'kept-previous',
  files: ['/shop/src/api/x/route.ts'],
  error,
  ms: 4,
};
const restarted: UpdateResult = {
  type: 'restarted',
  files: ['/shop/medusa-config.ts'],
  reason: { type: 'files-changed', paths: ['medusa-config.ts'] },
  chain: ['/shop/medusa-config.ts'],
  ms: 900,
};
const ignored: UpdateResult = {
  type: 'ignored',
  files: ['/shop/README.md'],
  reason: { type: 'not-loaded' },
};

function createOutput(traits: { isTTY?: boolean; rows?: number } = {}) {
  let text = '';
  return {
    ...traits,
    write(chunk: string) {
      text += chunk;
    },
    take() {
      const taken = text;
      text = '';
      return taken;
    },
  };
}

function createTerminal(options: Partial<TerminalReporterOptions> & { tty?: boolean } = {}) {
  const output = createOutput({ isTTY: options.tty ?? false, rows: 4 });
  const now = () => new Date(2026, 0, 2, 10, 42, 7);
  const reporter = createTerminalReporter({
    root,
    clearScreen: true,
    color: false,
    output,
    now,
    ...options,
  });
  return { reporter, output };
}

const CLEAR = '\n\n\u001B[1;1H\u001B[0J';

afterEach(() => vi.unstubAllEnvs());

describe('terminal', () => {
  test('uses the words of Medusa when the app is ready', () => {
    const { reporter, output } = createTerminal();
    reporter.ready(ready);
    expect(output.take()).toBe('10:42:07 [medusa] Server is ready on port: 9000 (4100 ms)\n');
  });

  test('says once how to switch HMR on', () => {
    const { reporter, output } = createTerminal();
    reporter.ready({ ...ready, hmr: false });
    expect(output.take()).toMatch(/backend HMR is off.*MEDUSA_FF_BACKEND_HMR=true.*--hmr/);
    reporter.ready({ ...ready, hmr: false });
    expect(output.take()).not.toContain('off');
  });

  test('gives a reload one line', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, reloaded);
    expect(output.take()).toBe(
      '10:42:07 [medusa] reloaded route GET /x (src/api/x/route.ts) in 9 ms\n',
    );
  });

  test('counts further files, and resources when they are many', () => {
    const { reporter, output } = createTerminal();
    const files = ['/shop/src/lib/a.ts', '/shop/b.ts', '/linked/c.ts'];
    reporter.update(1, { ...reloaded, files: files.slice(0, 2) });
    expect(output.take()).toContain('reloaded route GET /x (src/lib/a.ts, +1 file) in');
    reporter.update(1, { ...reloaded, files, resources: ['a', 'b', 'c'] });
    expect(output.take()).toContain('reloaded a, b, c (src/lib/a.ts, +2 files) in');
    reporter.update(1, { ...reloaded, files, resources: ['a', 'b', 'c', 'd'] });
    expect(output.take()).toContain('reloaded 4 resources (src/lib/a.ts, +2 files) in');
    reporter.update(1, { ...reloaded, resources: [] });
    expect(output.take()).toContain('reloaded src/api/x/route.ts in');
  });

  test('lists them all under DEBUG', () => {
    vi.stubEnv('DEBUG', 'vite:hmr, medusa-vite:reload');
    const { reporter, output } = createTerminal();
    const files = ['/shop/src/lib/a.ts', '/shop/b.ts', '/linked/c.ts'];
    reporter.update(1, { ...reloaded, files, resources: ['a', 'b', 'c', 'd'] });
    expect(output.take()).toContain('reloaded a, b, c, d (src/lib/a.ts, b.ts, /linked/c.ts) in');
  });

  test('says why the app restarted, and through which imports the change reached it', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, restarted);
    expect(output.take()).toBe('10:42:07 [medusa] restarted: medusa-config.ts changed in 900 ms\n');
    const chain = ['/shop/src/lib/a.ts', '/shop/src/jobs/b.ts'];
    reporter.update(2, {
      ...restarted,
      chain,
      reason: because('src/jobs/b.ts cannot be reloaded'),
    });
    expect(output.take()).toContain(
      'restarted: src/jobs/b.ts cannot be reloaded (src/lib/a.ts -> src/jobs/b.ts) in 900 ms',
    );
  });

  test('shows an error once, with all of its causes', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, {
      ...kept,
      error: { ...error, hint: 'Do this.', cause: { name: 'Error', message: 'deeper' } },
    });
    expect(output.take()).toBe(
      [
        '10:42:07 [medusa] kept the previous version: src/api/x/route.ts could not be reloaded',
        '  src/api/x/route.ts:3:7',
        '  TypeError: x is undefined',
        '  caused by: deeper',
        '  Do this.',
        '',
        '  > 3 | x.y',
        '',
      ].join('\n'),
    );
  });

  test('says only that it is still broken when the same error comes again', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, kept);
    output.take();
    reporter.update(2, kept);
    expect(output.take()).toBe('10:42:07 [medusa] still broken: src/api/x/route.ts:3:7\n');
    reporter.update(3, { ...kept, error: { ...error, line: 4 } });
    expect(output.take()).toContain('kept the previous version');
    reporter.update(4, reloaded);
    reporter.update(5, { ...kept, error: { ...error, line: 4 } });
    expect(output.take()).toContain('kept the previous version');
  });

  test('says that the app is down if it is', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, { ...kept, isDown: true });
    expect(output.take()).toContain(
      'the app could not be started with src/api/x/route.ts; the next save tries again',
    );
    reporter.update(2, { ...kept, error: { ...error, line: 4 }, files: [], isDown: true });
    expect(output.take()).toContain('the app could not be started; the next save tries again');
  });

  test('says that a broken change was undone, and then shows the same error in full again', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, kept);
    output.take();
    reporter.update(2, { ...ignored, files: kept.files, isUndone: true });
    expect(output.take()).toBe(
      '10:42:07 [medusa] mended: src/api/x/route.ts is what the app runs\n',
    );
    reporter.update(3, kept);
    expect(output.take()).toContain('kept the previous version');
  });

  test('shows the stack of an error outside of the project', () => {
    const { reporter, output } = createTerminal();
    const foreign = {
      name: 'Error',
      message: 'no database',
      stack: 'Error: no database\n    at /x/y.js:1:1',
    };
    reporter.failure(foreign, 'the app could not start');
    expect(output.take()).toBe(
      '10:42:07 [medusa] the app could not start\n  no database\n      at /x/y.js:1:1\n',
    );
    reporter.failure(foreign, 'the app could not start');
    expect(output.take()).toBe('10:42:07 [medusa] still broken: no database\n');
  });

  test('says how a reload spent its time, under DEBUG', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, reloaded);
    expect(output.take()).not.toContain('timing');
    vi.stubEnv('DEBUG', 'medusa-vite:timing');
    reporter.update(2, reloaded);
    reporter.update(3, restarted);
    expect(output.take()).toBe(
      '10:42:07 [medusa] reloaded route GET /x (src/api/x/route.ts) in 9 ms\n' +
        '10:42:07 [medusa] timing: watch 4.4, plan 0.2, transform 1.3, evaluate 0.7, prepare 0.0, commit 0.1, ipc 1.9 ms\n' +
        '10:42:07 [medusa] restarted: medusa-config.ts changed in 900 ms\n',
    );
  });

  test('keeps quiet about ignored files, except under DEBUG', () => {
    const { reporter, output } = createTerminal();
    reporter.update(1, ignored);
    expect(output.take()).toBe('');
    vi.stubEnv('DEBUG', 'medusa-vite:*');
    reporter.update(2, ignored);
    expect(output.take()).toBe('10:42:07 [medusa] ignored README.md: not loaded by the app\n');
  });

  test('says how the app ended, unless it ended on purpose', () => {
    const { reporter, output } = createTerminal();
    reporter.exit(0, null);
    expect(output.take()).toBe('');
    reporter.exit(1, null);
    expect(output.take()).toContain('the app exited with code 1');
    reporter.exit(null, 'SIGKILL');
    expect(output.take()).toContain('the app was ended by SIGKILL');
  });

  test('colours the status only', () => {
    const { reporter, output } = createTerminal({ color: true });
    reporter.update(1, reloaded);
    expect(output.take()).toBe(
      '\u001B[2m10:42:07\u001B[22m \u001B[36m[medusa]\u001B[39m \u001B[32mreloaded\u001B[39m route GET /x (src/api/x/route.ts) in 9 ms\n',
    );
  });

  test('clears the screen before a reload, but never an error or a warning', () => {
    vi.stubEnv('CI', '');
    const { reporter, output } = createTerminal({ tty: true });
    const clears = () => output.take().includes(CLEAR);
    reporter.update(1, reloaded);
    expect(clears()).toBe(true);
    reporter.update(2, kept);
    reporter.update(3, kept);
    reporter.update(4, reloaded);
    expect(clears()).toBe(false);
    reporter.update(5, reloaded);
    expect(clears()).toBe(true);
    reporter.warn('careful');
    reporter.update(6, reloaded);
    expect(clears()).toBe(false);
    reporter.update(7, restarted);
    reporter.ready(ready);
    expect(clears()).toBe(false);
  });

  test.each([
    ['in CI', 'true', { tty: true }],
    ['without a terminal', '', { tty: false }],
    ['when it was switched off', '', { tty: true, clearScreen: false }],
  ])('never clears the screen %s', (_, ci, options) => {
    vi.stubEnv('CI', ci);
    const { reporter, output } = createTerminal(options);
    reporter.update(1, reloaded);
    expect(output.take()).not.toContain('\u001B');
  });
});

describe('json', () => {
  function createJson() {
    const output = createOutput();
    const errorOutput = createOutput();
    const reporter = createJsonReporter({ root, output, errorOutput });
    const event = (): unknown => {
      const lines = output.take().split('\n');
      expect(lines).toHaveLength(2);
      return JSON.parse(lines[0] ?? '');
    };
    return { reporter, event, errorOutput };
  }

  test('sends one object per line, with paths of the project', () => {
    const { reporter, event } = createJson();
    reporter.ready(ready);
    expect(event()).toEqual(ready);
    reporter.update(7, reloaded);
    expect(event()).toEqual({
      event: 'update',
      id: 7,
      result: 'reloaded',
      files: ['src/api/x/route.ts'],
      resources: ['route GET /x'],
      modules: 1,
      ms: 8.6,
    });
    reporter.update(8, restarted);
    expect(event()).toEqual({
      event: 'update',
      id: 8,
      result: 'restarted',
      files: ['medusa-config.ts'],
      reason: 'medusa-config.ts changed',
      ms: 900,
    });
    const shown = {
      message: 'x is undefined',
      file: 'src/api/x/route.ts',
      line: 3,
      column: 7,
      frame: '> 3 | x.y',
    };
    reporter.update(9, kept);
    expect(event()).toEqual({
      event: 'update',
      id: 9,
      result: 'kept-previous',
      files: ['src/api/x/route.ts'],
      error: shown,
      ms: 4,
    });
    reporter.update(10, ignored);
    expect(event()).toEqual({
      event: 'update',
      id: 10,
      result: 'ignored',
      files: ['README.md'],
      reason: 'not loaded by the app',
    });
    reporter.failure(error, 'the app could not start');
    expect(event()).toEqual({ event: 'error', error: shown });
    reporter.exit(null, 'SIGKILL');
    expect(event()).toEqual({ event: 'exit', code: null, signal: 'SIGKILL' });
  });

  test('prints for people, on stderr, the text of a terminal', () => {
    const { reporter, errorOutput } = createJson();
    reporter.update(1, reloaded);
    reporter.info('hello');
    reporter.warn('careful');
    expect(errorOutput.take()).toMatch(/ \[medusa\] reloaded .*\n.* hello\n.* careful\n/);
  });
});
