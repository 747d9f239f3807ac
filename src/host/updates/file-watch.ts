import type { FileChange } from '../../shared/change.ts';
import { EMPTY_CONTENT, type FileState, readFileState } from '../../shared/file-state.ts';
import { toPosix } from '../../shared/paths.ts';
import type { Batch } from './batch.ts';
import { changeOf, KnownFiles, type KnownFilesOptions } from './known-files.ts';
import { NewFolders } from './new-folders.ts';

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

export interface FileWatchOptions
  extends Pick<KnownFilesOptions, 'known'>,
    Partial<Omit<KnownFilesOptions, 'known'>> {
  events: FileEvents;
  isWatched(file: string): boolean;
  /** A file has changed, and more may follow; a call of `onBatch` comes later in any case. */
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
/** A program that opens a file and then writes it may be held up in between. */
const EMPTY_LIMIT_MS = 250;
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
  readonly #onFirst: (file: string) => void;
  readonly #onBatch: (batch: Batch) => void;
  readonly #files: KnownFiles;
  readonly #folders: NewFolders;
  readonly #pending = new Map<string, FileChange>();
  readonly #rechecks = new Map<string, NodeJS.Timeout>();
  /** Files found empty that were not: perhaps caught between opening and writing. */
  readonly #emptied = new Map<string, Emptied>();
  #looks: NodeJS.Timeout[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the first event of the pending ones came in. */
  #since = 0;
  #lastEventAt = 0;

  constructor(options: FileWatchOptions) {
    const { events, known, isWatched, onFirst, onBatch } = options;
    const { loaded = () => [], present = () => [] } = options;
    this.#events = events;
    this.#isWatched = isWatched;
    this.#onFirst = onFirst;
    this.#onBatch = onBatch;
    this.#files = new KnownFiles({ known, loaded, present });
    this.#folders = new NewFolders({
      isWatched: (folder) => isWatched(`${folder}/any.ts`),
      isNewFile: (file) => isWatched(file) && this.#files.isNew(file),
      onFolder: (folder) => this.#events.add(folder),
      onFile: (file) => this.#queue(file, 'create'),
    });
    this.#listen();
  }

  /** Files have changed that are in no batch yet. */
  get isPending(): boolean {
    return this.#pending.size > 0 || this.#emptied.size > 0;
  }

  /** Resolves when no file has changed for a while, or after a limit. */
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

  /** To be called when Vite has a new watcher, after it was restarted. */
  follow(events: FileEvents): void {
    this.#unlisten();
    this.#events = events;
    this.#listen();
    this.#lookAgain();
  }

  /** @returns files that have changed and are in no batch. */
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
    for (const [event, listener] of this.#listeners) {
      this.#events.on(event, listener);
    }
    // chokidar says nothing of a file that changes before it has come to it.
    this.#events.on('ready', this.#lookAgain);
    this.#looks = LOOKS_MS.map((ms) => setTimeout(this.#lookAgain, ms).unref());
  }

  #unlisten(): void {
    for (const [event, listener] of this.#listeners) {
      this.#events.off(event, listener);
    }
    this.#events.off('ready', this.#lookAgain);
    for (const timer of this.#looks.splice(0)) {
      clearTimeout(timer);
    }
  }

  readonly #listeners: readonly [FileEvent, (path: string) => void][] = [
    ['add', (path) => this.#queue(toPosix(path), 'create')],
    ['change', (path) => this.#queue(toPosix(path), 'update')],
    ['unlink', (path) => this.#queue(toPosix(path), 'delete')],
    ['addDir', (path) => this.#folders.add(toPosix(path))],
    ['unlinkDir', (path) => this.#folders.delete(toPosix(path))],
  ];

  /** Finds what has changed while there was no watcher for it. */
  readonly #lookAgain = (): void => {
    for (const { file, change } of this.#files.findMissed()) {
      this.#queue(file, change);
    }
  };

  #queue(file: string, change: FileChange): void {
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
      this.#look(file, latest, batch);
    }
    this.#pending.clear();
    if (batch.changes.some(({ change }) => change === 'create')) {
      // chokidar tells of a file that is gone 100 ms after it tells of the one that it was renamed to: in
      // between the app would have both.
      batch.changes.push(...this.#files.reportGone(this.#isWatched));
    }
    const isEmpty = batch.changes.length === 0 && batch.unchanged.length === 0;
    // A file that is looked at again soon comes in a batch then.
    if (!isEmpty || this.#emptied.size === 0) {
      this.#onBatch(batch);
    }
  }

  /** Adds the file to the batch, as what it turns out to be. */
  #look(file: string, latest: FileChange, batch: Batch): void {
    const state = readFileState(file);
    const previous = this.#files.get(file);
    // Also where nothing has changed: what follows within 50 ms is dropped all the same.
    this.#recheck(file);
    const now = performance.now();
    const { event, since } = this.#emptied.get(file) ?? { event: latest, since: now };
    const isEmptied = state.content === EMPTY_CONTENT && previous?.content !== EMPTY_CONTENT;
    if (isEmptied && now - since < EMPTY_LIMIT_MS) {
      this.#emptied.set(file, { event, since });
      return;
    }
    this.#emptied.delete(file);
    this.#files.report(file, state);
    if (previous?.content !== state.content) {
      batch.changes.push({ file, change: kindOf(event, previous, state) });
    } else if (previous.writtenAt !== state.writtenAt) {
      // Else one slow save shows as two events.
      batch.unchanged.push(file);
    }
  }

  #recheck(file: string): void {
    clearTimeout(this.#rechecks.get(file));
    const timer = setTimeout(() => {
      this.#rechecks.delete(file);
      if (this.#emptied.has(file) || this.#files.isChanged(file)) {
        this.#queue(file, changeOf(file).change);
      }
    }, RECHECK_MS);
    this.#rechecks.set(file, timer.unref());
  }
}

interface Emptied {
  /** What showed it. */
  event: FileChange;
  /** `performance.now()` */
  since: number;
}

function kindOf(
  event: FileChange,
  previous: FileState | undefined,
  { content }: FileState,
): FileChange {
  if (content === null) {
    return 'delete';
  }
  // A file that was gone at the last look, or one that we never saw and that is announced as new.
  const isNew = previous ? previous.content === null : event === 'create';
  return isNew ? 'create' : 'update';
}
