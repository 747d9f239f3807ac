import { type Dirent, existsSync, readdirSync } from 'node:fs';
import type { Change } from '../../shared/change.ts';
import {
  changedAt,
  contentOf,
  EMPTY_CONTENT,
  type FileState,
  readFileState,
} from '../../shared/file-state.ts';
import { toPosix } from '../../shared/paths.ts';
import type { Batch } from './batch.ts';

/** The part of a chokidar watcher that is used here. */
export interface FileEvents {
  on(event: FileEvent, listener: (path: string) => void): unknown;
  /** Comes when all that was to be watched at first is, or somewhat before that. */
  on(event: 'ready', listener: () => void): unknown;
  off(event: FileEvent, listener: (path: string) => void): unknown;
  off(event: 'ready', listener: () => void): unknown;
  /** Watches a folder as well. */
  add(folder: string): unknown;
}

type FileEvent = 'add' | 'change' | 'unlink' | 'addDir' | 'unlinkDir';

export interface FileWatchOptions {
  events: FileEvents;
  /** Files whose present content is known to be in use, such as `.env`. */
  known: string[];
  isWatched(file: string): boolean;
  /** Files that the app has loaded, if there is one. */
  loaded?(): Iterable<string>;
  /** Files that are there now, of those that may concern the app, loaded or not. */
  present?(): Iterable<string>;
  /** A file was touched, and more may follow; a call of `onBatch` comes later in any case. */
  onFirst(file: string): void;
  /** The batch may turn out empty. */
  onBatch(batch: Batch): void;
}

/** "Save all" of an editor writes its files within a millisecond or two. */
const QUIET_MS = 3;
/** A branch switch writes hundreds of files, with pauses in between: worth waiting for the last. */
const BURST_FILES = 5;
const BURST_QUIET_MS = 60;
const BURST_LIMIT_MS = 1_000;
/** chokidar drops a second event of a file within 50 ms, so each file is looked at again after that. */
const RECHECK_MS = 70;
/** Who opens a file and then writes it may be held up in between. */
const EMPTY_LIMIT_MS = 250;
/** chokidar lists a new folder and watches it after that, on a busy machine a good while after. */
const FOLDER_RECHECK_MS = 1_000;
/** chokidar has come to all of 5,000 files by then, and the app has loaded what it loads from elsewhere. */
const LOOKS_MS = [500, 3_000, 10_000];
/** Before a restart, which takes seconds, it is worth waiting for the rest of a branch switch. */
const SETTLED_MS = 100;
const SETTLE_LIMIT_MS = 2_000;

/**
 * Turns file events into batches of files whose content really changed. Looks at every file once more a
 * little later: a format-on-save right after the save would otherwise leave the app on the first version.
 */
export class FileWatch {
  #events: FileEvents;
  readonly #isWatched: (file: string) => boolean;
  readonly #loaded: () => Iterable<string>;
  readonly #present: () => Iterable<string>;
  readonly #onFirst: (file: string) => void;
  readonly #onBatch: (batch: Batch) => void;
  /** Files that were reported, as they were then: one slow save may show as two events. */
  readonly #reported = new Map<string, FileState>();
  readonly #pending = new Map<string, Change['change']>();
  readonly #rechecks = new Map<string, NodeJS.Timeout>();
  /** Files found empty that were not: perhaps caught between opening and writing. */
  readonly #emptied = new Map<string, Emptied>();
  /** New ones that the watcher has told of. */
  readonly #folders = new Set<string>();
  /** Files that were there at the last look. */
  #seen = new Set<string>();
  /** When that was, by the clock that files have. */
  #lookedAt = Date.now();
  #looks: NodeJS.Timeout[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the first event of the pending ones came in. */
  #since = 0;
  #lastEventAt = 0;

  constructor(options: FileWatchOptions) {
    const { events, known, isWatched, loaded, present, onFirst, onBatch } = options;
    this.#events = events;
    this.#isWatched = isWatched;
    this.#loaded = loaded ?? (() => []);
    this.#present = present ?? (() => []);
    this.#seen = new Set(this.#present());
    this.#onFirst = onFirst;
    this.#onBatch = onBatch;
    for (const file of known) {
      this.#reported.set(file, readFileState(file));
    }
    this.#listen();
  }

  /** Files were touched that are in no batch yet. */
  get isPending(): boolean {
    return this.#pending.size > 0 || this.#emptied.size > 0;
  }

  /** Resolves when no file was touched for a while, or after a limit. */
  async settled(): Promise<void> {
    const deadline = performance.now() + SETTLE_LIMIT_MS;
    for (;;) {
      const now = performance.now();
      const rest = this.#lastEventAt + SETTLED_MS - now;
      if (now > deadline || (rest <= 0 && !this.isPending)) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(rest, QUIET_MS)));
    }
  }

  /** Vite has a new watcher after it was restarted. */
  follow(events: FileEvents): void {
    this.#unlisten();
    this.#events = events;
    this.#listen();
    this.#lookAgain();
  }

  /** @returns files that were touched and are in no batch. */
  close(): string[] {
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#folders.clear();
    for (const timer of this.#rechecks.values()) {
      clearTimeout(timer);
    }
    return [...new Set([...this.#pending.keys(), ...this.#emptied.keys()])];
  }

  #listen(): void {
    this.#events.on('add', this.#onAdd);
    this.#events.on('change', this.#onChange);
    this.#events.on('unlink', this.#onUnlink);
    this.#events.on('addDir', this.#onAddDir);
    this.#events.on('unlinkDir', this.#onUnlinkDir);
    // chokidar says nothing of a file that is saved before it has come to it.
    this.#events.on('ready', this.#lookAgain);
    this.#looks = LOOKS_MS.map((ms) => setTimeout(this.#lookAgain, ms).unref());
  }

  #unlisten(): void {
    this.#events.off('add', this.#onAdd);
    this.#events.off('change', this.#onChange);
    this.#events.off('unlink', this.#onUnlink);
    this.#events.off('addDir', this.#onAddDir);
    this.#events.off('unlinkDir', this.#onUnlinkDir);
    this.#events.off('ready', this.#lookAgain);
    for (const timer of this.#looks.splice(0)) {
      clearTimeout(timer);
    }
  }

  readonly #onAdd = (path: string): void => this.#queue(toPosix(path), 'create');
  readonly #onChange = (path: string): void => this.#queue(toPosix(path), 'update');
  readonly #onUnlink = (path: string): void => this.#queue(toPosix(path), 'delete');

  readonly #onAddDir = (path: string): void => {
    const folder = toPosix(path);
    if (this.#isFolderWatched(folder)) {
      this.#folders.add(folder);
      setTimeout(() => this.#lookInto(folder), RECHECK_MS).unref();
      this.#lookIntoLater(folder);
    }
  };

  /** Again and again, until it finds nothing that is new. */
  #lookIntoLater(folder: string): void {
    setTimeout(() => {
      if (this.#lookInto(folder)) {
        this.#lookIntoLater(folder);
      }
    }, FOLDER_RECHECK_MS).unref();
  }

  readonly #onUnlinkDir = (path: string): void => {
    this.#folders.delete(toPosix(path));
  };

  /** Finds what was saved while there was no watcher for it. */
  readonly #lookAgain = (): void => {
    const since = this.#lookedAt;
    this.#lookedAt = Date.now();
    for (const [file, { content }] of this.#reported) {
      if (contentOf(file) !== content) {
        this.#queue(file, existsSync(file) ? 'update' : 'delete');
      }
    }
    const before = this.#seen;
    const known = new Set([...before, ...this.#loaded()]);
    this.#seen = new Set();
    for (const file of new Set([...known, ...this.#present()])) {
      const time = changedAt(file);
      if (time !== null) {
        this.#seen.add(file);
      }
      if (this.#reported.has(file)) {
        continue;
      }
      if (time === null) {
        // Else it may be no file at all, but a module that a plugin has made up: `#findGone` as well.
        if (before.has(file)) {
          this.#queue(file, 'delete');
        }
      } else if (!known.has(file)) {
        this.#queue(file, 'create');
      } else if (time > since) {
        this.#queue(file, 'update');
      }
    }
  };

  #isFolderWatched(folder: string): boolean {
    return this.#isWatched(`${folder}/any.ts`);
  }

  /** Finds what came into a new folder before the watcher was ready for it. @returns whether there was any */
  #lookInto(folder: string): boolean {
    let isAny = false;
    for (const entry of this.#folders.has(folder) ? list(folder) : []) {
      const path = `${folder}/${entry.name}`;
      const known = this.#reported.get(path);
      // Null for one that was there before, in a folder that was deleted meanwhile, or that cannot be read.
      const isUnknown = !known || (known.content === null && contentOf(path) !== null);
      if (entry.isFile() && isUnknown && this.#isWatched(path)) {
        isAny = true;
        this.#queue(path, 'create');
      } else if (entry.isDirectory() && !this.#folders.has(path) && this.#isFolderWatched(path)) {
        isAny = true;
        this.#events.add(path);
        this.#onAddDir(path);
      }
    }
    return isAny;
  }

  #queue(file: string, change: Change['change']): void {
    if (!this.#isWatched(file)) {
      return;
    }
    this.#lastEventAt = performance.now();
    if (this.#pending.size === 0) {
      this.#since = this.#lastEventAt;
      this.#onFirst(file);
    }
    // Created and then written is still created.
    const isNew = change === 'update' && this.#pending.get(file) === 'create';
    this.#pending.set(file, isNew ? 'create' : change);
    const isBurst = this.#pending.size >= BURST_FILES;
    const elapsed = performance.now() - this.#since;
    const wait = isBurst && elapsed < BURST_LIMIT_MS ? BURST_QUIET_MS : QUIET_MS;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    const batch: Batch = {
      changes: [],
      unchanged: [],
      since: this.#since,
      until: this.#lastEventAt,
    };
    for (const [file, latest] of this.#pending) {
      const state = readFileState(file);
      const previous = this.#reported.get(file);
      const now = performance.now();
      const { event, since } = this.#emptied.get(file) ?? { event: latest, since: now };
      const isEmptied = state.content === EMPTY_CONTENT && previous?.content !== EMPTY_CONTENT;
      if (isEmptied && now - since < EMPTY_LIMIT_MS) {
        this.#emptied.set(file, { event, since });
        this.#recheck(file);
        continue;
      }
      this.#emptied.delete(file);
      // Also where nothing has changed: what follows within 50 ms is dropped all the same.
      this.#recheck(file);
      this.#reported.set(file, state);
      if (previous?.content !== state.content) {
        batch.changes.push({ file, change: kindOf(event, previous, state) });
      } else if (previous.writtenAt !== state.writtenAt) {
        batch.unchanged.push(file);
      }
    }
    this.#pending.clear();
    if (batch.changes.some(({ change }) => change === 'create')) {
      batch.changes.push(...this.#findGone());
    }
    const isEmpty = batch.changes.length === 0 && batch.unchanged.length === 0;
    // A file that is looked at again soon comes in a batch then.
    if (!isEmpty || this.#emptied.size === 0) {
      this.#onBatch(batch);
    }
  }

  /**
   * chokidar tells of a file that is gone 100 ms after it tells of the one that it was renamed to: in between the
   * app would have both.
   */
  #findGone(): Change[] {
    const gone: Change[] = [];
    for (const file of this.#loaded()) {
      const reported = this.#reported.get(file);
      const wasThere = reported ? reported.content !== null : this.#seen.has(file);
      if (wasThere && this.#isWatched(file) && !existsSync(file)) {
        this.#reported.set(file, { content: null, writtenAt: 0 });
        gone.push({ file, change: 'delete' });
      }
    }
    return gone;
  }

  #recheck(file: string): void {
    clearTimeout(this.#rechecks.get(file));
    const timer = setTimeout(() => {
      this.#rechecks.delete(file);
      if (this.#emptied.has(file) || this.#reported.get(file)?.content !== contentOf(file)) {
        this.#queue(file, existsSync(file) ? 'update' : 'delete');
      }
    }, RECHECK_MS);
    this.#rechecks.set(file, timer.unref());
  }
}

interface Emptied {
  /** What showed it. */
  event: Change['change'];
  /** `performance.now()` */
  since: number;
}

function kindOf(
  event: Change['change'],
  previous: FileState | undefined,
  { content }: FileState,
): Change['change'] {
  if (content === null) {
    return 'delete';
  }
  // A file that was gone at the last look, or one that we never saw and that is announced as new.
  const isNew = previous ? previous.content === null : event === 'create';
  return isNew ? 'create' : 'update';
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Gone again.
    return [];
  }
}
