import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Batch } from '../../../../src/host/updates/batch.ts';
import { FileWatch, type FileWatchOptions } from '../../../../src/host/updates/file-watch.ts';
import { toPosix } from '../../../../src/shared/paths.ts';

let folder: string;
let events: ReturnType<typeof fakeWatcher>;
let watched: string[];
let watch: FileWatch;
let batches: Batch[];
let firsts: number;
let loaded: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  folder = toPosix(realpathSync.native(mkdtempSync(join(tmpdir(), 'medusa-vite watch '))));
  watched = [];
  events = fakeWatcher();
  batches = [];
  firsts = 0;
  loaded = [];
  writeFileSync(file('.env'), 'A=1');
  watch = createWatch();
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

function createWatch(options: Partial<FileWatchOptions> = {}): FileWatch {
  return new FileWatch({
    events,
    known: [file('.env')],
    isWatched: (path) => path !== file('dist/built.js'),
    loaded: () => loaded,
    onFirst: () => {
      firsts++;
    },
    onBatch: (batch) => batches.push(batch),
    ...options,
  });
}

function fakeWatcher() {
  return Object.assign(new EventEmitter(), { add: (folder: string) => watched.push(folder) });
}

function file(name: string): string {
  return `${folder}/${name}`;
}

/** Writes a file and sends the watcher's event for it; the two need not agree. */
function save(name: string, source: string, event: 'add' | 'change' | null = 'change'): void {
  writeFileSync(file(name), source);
  if (event) {
    events.emit(event, file(name));
  }
}

function remove(name: string, event: 'unlink' | null = 'unlink'): void {
  rmSync(file(name));
  if (event) {
    events.emit(event, file(name));
  }
}

const wait = (ms: number) => vi.advanceTimersByTime(ms);

/** `create a.ts`, or `same a.ts`, by batch. */
function seen(): string[][] {
  return batches.map(({ changes, unchanged }) => [
    ...changes.map(({ file: name, change }) => `${change} ${name.slice(folder.length + 1)}`),
    ...unchanged.map((name) => `same ${name.slice(folder.length + 1)}`),
  ]);
}

// Caused by a renamed subscriber: for 100 ms there were two with its id, which is an error.
it('sees the old name of a renamed file go the moment the new one comes', () => {
  loaded = [file('used.ts'), file('.env')];
  save('used.ts', 'one');
  wait(1_000);
  rmSync(file('used.ts'));
  save('renamed.ts', 'one', 'add');
  wait(3);
  expect(seen().at(-1)).toEqual(['create renamed.ts', 'delete used.ts']);
  events.emit('unlink', file('used.ts'));
  wait(1_000);
  expect(seen().slice(2).flat()).toEqual([]);
  save('used.ts', 'back', 'add');
  wait(3);
  expect(seen().at(-1)).toEqual(['create used.ts']);
});

// Caused by a route that was saved together with its new folder, and was never served.
describe('a new folder', () => {
  it('is searched for files that came before it was watched', () => {
    mkdirSync(file('src/new/[id]'), { recursive: true });
    save('src/new/seen.ts', 'one', 'add');
    writeFileSync(file('src/new/missed.ts'), 'one');
    writeFileSync(file('src/new/[id]/deep.ts'), 'one');
    events.emit('addDir', file('src/new'));
    wait(3);
    expect(seen()).toEqual([['create src/new/seen.ts']]);
    wait(500);
    expect(seen().flat()).toEqual([
      'create src/new/seen.ts',
      'create src/new/missed.ts',
      'create src/new/[id]/deep.ts',
    ]);
    expect(watched).toEqual([file('src/new/[id]')]);
    writeFileSync(file('src/new/late.ts'), 'one');
    wait(1_000);
    expect(seen().flat()).toContain('create src/new/late.ts');
    expect(seen().flat()).toHaveLength(4);
  });

  // Caused by a branch switch on a busy machine: the watcher was ready only after the last of 500 files.
  it('is searched until no more files come', () => {
    mkdirSync(file('src/new'), { recursive: true });
    events.emit('addDir', file('src/new'));
    wait(900);
    save('src/new/a.ts', 'one', null);
    wait(200);
    expect(seen().flat()).toEqual(['create src/new/a.ts']);
    save('src/new/b.ts', 'one', null);
    wait(1_000);
    expect(seen().flat()).toEqual(['create src/new/a.ts', 'create src/new/b.ts']);
    wait(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that was deleted and made again is searched for its earlier files', () => {
    mkdirSync(file('src/new'), { recursive: true });
    save('src/new/a.ts', 'one', 'add');
    wait(100);
    remove('src/new/a.ts');
    wait(100);
    writeFileSync(file('src/new/a.ts'), 'one');
    events.emit('addDir', file('src/new'));
    wait(100);
    expect(seen().at(-1)).toEqual(['create src/new/a.ts']);
  });

  it('that is gone again, or is not watched, is not searched', () => {
    mkdirSync(file('src/short'), { recursive: true });
    writeFileSync(file('src/short/a.ts'), 'one');
    events.emit('addDir', file('src/short'));
    events.emit('unlinkDir', file('src/short'));
    events.emit('addDir', file('nowhere'));
    wait(2_000);
    expect(seen()).toEqual([]);
  });
});

describe('a change', () => {
  it('is reported once, at once', () => {
    save('a.ts', 'one');
    wait(3);
    expect(seen()).toEqual([['update a.ts']]);
    wait(1_000);
    expect(seen()).toHaveLength(1);
    expect(firsts).toBe(1);
  });

  it('of a file that is too large for a source is seen by size and time', () => {
    save('app.log', 'x'.repeat(5_000_000));
    wait(3);
    wait(1_000);
    save('app.log', 'x'.repeat(5_000_001));
    wait(3);
    expect(seen()).toEqual([['update app.log'], ['update app.log']]);
    wait(1_000);
    expect(seen()).toHaveLength(2);
  });

  it('of several files at once is one batch', () => {
    save('a.ts', 'one');
    wait(2);
    save('b.ts', 'one', 'add');
    wait(3);
    expect(seen()).toEqual([['update a.ts', 'create b.ts']]);
    expect(firsts).toBe(1);
  });

  it('that the watcher loses is found by looking again', () => {
    save('a.ts', 'one');
    wait(10);
    save('a.ts', 'two', null);
    wait(100);
    expect(seen()).toEqual([['update a.ts'], ['update a.ts']]);
    // So is a change right after that one.
    save('a.ts', 'three', null);
    wait(100);
    expect(seen()).toHaveLength(3);
  });

  it('that the watcher loses right after an event without a change is found as well', () => {
    save('a.ts', 'one');
    wait(100);
    events.emit('change', file('a.ts'));
    wait(10);
    save('a.ts', 'two', null);
    wait(100);
    expect(seen().filter((batch) => batch.length > 0)).toEqual([['update a.ts'], ['update a.ts']]);
  });

  it('that is shown by two events is reported once', () => {
    save('a.ts', 'one');
    wait(10);
    events.emit('change', file('a.ts'));
    wait(200);
    expect(seen().filter((batch) => batch.length > 0)).toEqual([['update a.ts']]);
  });

  it('of the time alone is reported as unchanged', async () => {
    save('a.ts', 'one');
    wait(200);
    // The file's time has to differ, as it does when a person saves the file.
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(file('a.ts'), 'one');
    utimesSync(file('a.ts'), 1_000, 1_000);
    events.emit('change', file('a.ts'));
    wait(200);
    expect(seen()).toEqual([['update a.ts'], ['same a.ts']]);
  });

  it('of the time alone of a known file is reported as unchanged as well', async () => {
    utimesSync(file('.env'), 1_000, 1_000);
    events.emit('change', file('.env'));
    wait(200);
    expect(seen()).toEqual([['same .env']]);
    save('.env', 'A=2');
    wait(200);
    expect(seen().at(-1)).toEqual(['update .env']);
  });
});

it('returns the files that it has not reported when it is closed', () => {
  save('a.ts', 'one');
  wait(3);
  save('b.ts', '');
  wait(3);
  save('c.ts', 'one');
  expect(watch.close()).toEqual([file('c.ts'), file('b.ts')]);
});

describe('a file that is emptied', () => {
  it('and filled is reported once, with its content', () => {
    save('a.ts', 'one');
    wait(200);
    save('a.ts', '');
    wait(10);
    expect(watch.isPending).toBe(true);
    save('a.ts', 'two', null);
    wait(200);
    expect(seen()).toEqual([['update a.ts'], ['update a.ts']]);
    expect(watch.isPending).toBe(false);
  });

  it('and filled with the same content is no change, but ends the wait of requests', () => {
    save('a.ts', 'one');
    wait(200);
    const before = batches.length;
    save('a.ts', '');
    wait(10);
    expect(batches).toHaveLength(before);
    save('a.ts', 'one', null);
    wait(200);
    expect(batches.length).toBeGreaterThan(before);
    expect(batches.slice(before).flatMap(({ changes }) => changes)).toEqual([]);
    expect(watch.isPending).toBe(false);
  });

  it('and stays so is reported a little later', () => {
    save('a.ts', 'one');
    wait(200);
    save('a.ts', '');
    wait(200);
    expect(seen()).toEqual([['update a.ts']]);
    expect(watch.isPending).toBe(true);
    wait(200);
    expect(seen()).toEqual([['update a.ts'], ['update a.ts']]);
    expect(watch.isPending).toBe(false);
  });

  it('does not hold up other files', () => {
    save('a.ts', 'one');
    save('b.ts', 'one');
    wait(200);
    save('a.ts', '');
    save('b.ts', 'two');
    wait(3);
    expect(seen().at(-1)).toEqual(['update b.ts']);
  });

  it('from its beginning is new, once it has stayed empty for a while', () => {
    save('a.ts', '', 'add');
    wait(3);
    expect(seen()).toEqual([]);
    expect(watch.isPending).toBe(true);
    wait(400);
    expect(seen()).toEqual([['create a.ts']]);
    expect(watch.isPending).toBe(false);
  });

  // Caused by a new `.env` that was seen empty and then filled: two restarts.
  it.each([
    ['change', 60],
    [null, 60],
    [null, 200],
    ['change', 1],
  ] as const)(
    'from its beginning and filled a little later (%s after %i ms) is one new file',
    (event, ms) => {
      save('b.env', '', 'add');
      wait(ms);
      save('b.env', 'A=1', event);
      wait(400);
      expect(seen().filter((batch) => batch.length > 0)).toEqual([['create b.env']]);
      expect(watch.isPending).toBe(false);
    },
  );

  it('from its beginning and removed at once is gone', () => {
    save('a.ts', '', 'add');
    wait(10);
    remove('a.ts');
    wait(200);
    expect(seen().flat()).not.toContain('create a.ts');
  });
});

describe('a file that is deleted', () => {
  it('is gone', () => {
    save('a.ts', 'one');
    wait(200);
    remove('a.ts');
    wait(3);
    expect(seen().at(-1)).toEqual(['delete a.ts']);
  });

  it('and made again at once has changed', () => {
    save('a.ts', 'one');
    wait(200);
    remove('a.ts');
    save('a.ts', 'two', 'add');
    wait(200);
    expect(seen()).toEqual([['update a.ts'], ['update a.ts']]);
  });

  it('and made again after that was reported is new', () => {
    save('a.ts', 'one');
    wait(200);
    remove('a.ts');
    wait(200);
    save('a.ts', 'one', 'add');
    wait(200);
    expect(seen()).toEqual([['update a.ts'], ['delete a.ts'], ['create a.ts']]);
  });

  it('is found by looking again when the watcher misses it', () => {
    save('a.ts', 'one');
    wait(10);
    remove('a.ts', null);
    wait(200);
    expect(seen()).toEqual([['update a.ts'], ['delete a.ts']]);
  });

  it('before the first look is a delete, whatever the event said', () => {
    writeFileSync(file('a.ts'), 'one');
    events.emit('add', file('a.ts'));
    rmSync(file('a.ts'));
    wait(200);
    expect(seen()[0]).toEqual(['delete a.ts']);
  });
});

describe('a burst', () => {
  it('with pauses is one batch', () => {
    for (let index = 0; index < 500; index++) {
      save(`file-${index}.ts`, 'one', 'add');
      if (index >= 5 && index % 50 === 0) {
        wait(50);
      }
    }
    wait(200);
    expect(batches.filter(({ changes }) => changes.length > 0)).toHaveLength(1);
    expect(batches[0]?.changes).toHaveLength(500);
  });

  it('without an end is cut after a second', () => {
    for (let index = 0; index < 40; index++) {
      save(`file-${index}.ts`, 'one', 'add');
      wait(index < 5 ? 0 : 50);
    }
    expect(batches.length).toBeGreaterThan(0);
  });
});

describe('waiting until the files have settled', () => {
  it('lasts for as long as files are saved', async () => {
    let isSettled = false;
    save('a.ts', 'one');
    void watch.settled().then(() => {
      isSettled = true;
    });
    await vi.advanceTimersByTimeAsync(60);
    save('b.ts', 'one');
    await vi.advanceTimersByTimeAsync(60);
    expect(isSettled).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(isSettled).toBe(true);
  });

  it('has an end', async () => {
    let isSettled = false;
    void watch.settled().then(() => {
      isSettled = true;
    });
    save('a.ts', 'one');
    for (let ms = 0; ms < 2_500; ms += 50) {
      save('a.ts', `at ${ms}`);
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(isSettled).toBe(true);
  });
});

it('follows another watcher and forgets the first', () => {
  const next = fakeWatcher();
  save('a.ts', 'one');
  wait(200);
  watch.follow(next);
  save('a.ts', 'two');
  wait(200);
  expect(seen()).toHaveLength(1);
  next.emit('change', file('a.ts'));
  wait(200);
  expect(seen()).toHaveLength(2);
});

it('closes without a trace', () => {
  save('a.ts', 'one');
  watch.close();
  wait(200);
  expect(batches).toEqual([]);
  expect(events.eventNames()).toEqual([]);
});

it('sees files that changed between two watchers', () => {
  save('a.ts', 'one');
  wait(1_000);
  writeFileSync(file('a.ts'), 'two');
  rmSync(file('.env'));
  watch.follow(fakeWatcher());
  wait(1_000);
  expect(seen()).toEqual([['update a.ts'], ['delete .env', 'update a.ts']]);
});

// Caused by Vite's restarts: each new watcher reports no change of a file until it watches that file.
it('sees files that changed before a watcher was ready', async () => {
  loaded = [file('used.ts'), file('gone.ts'), file('dist/built.js'), '/made/up.ts'];
  // The clock of a file system may be some milliseconds behind.
  vi.setSystemTime(Date.now() - 10_000);
  watch.close();
  const made = ['used.ts', 'gone.ts'].map(file);
  for (const path of made) {
    writeFileSync(path, 'early');
  }
  watch = createWatch({ present: () => made });
  vi.useRealTimers();
  mkdirSync(file('dist'));
  for (const name of ['used.ts', 'new.ts', 'other.ts', 'dist/built.js', '.env']) {
    writeFileSync(file(name), 'late');
  }
  made.push(file('new.ts'));
  rmSync(file('gone.ts'));
  expect(watch.isPending).toBe(false);
  events.emit('ready');
  await vi.waitFor(() => expect(batches).toHaveLength(1));
  expect(seen()[0]?.toSorted()).toEqual([
    'create new.ts',
    'delete gone.ts',
    'update .env',
    'update used.ts',
  ]);
  events.emit('ready');
  expect(watch.isPending).toBe(false);
});

it('does not mistake an existing file for a change', () => {
  writeFileSync(file('used.ts'), 'one');
  loaded = [file('used.ts')];
  vi.setSystemTime(Date.now() + 10_000);
  watch.close();
  watch = createWatch();
  events.emit('ready');
  wait(1_000);
  expect(seen()).toEqual([]);
});

it('does not look at files that are not watched', () => {
  events.emit('change', file('dist/built.js'));
  wait(1_000);
  expect(seen()).toEqual([]);
  expect(firsts).toBe(0);
});
