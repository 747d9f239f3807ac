import type { FileChange } from '../../shared/change.ts';
import { EMPTY_CONTENT, type FileState, readFileState } from '../../shared/file-state.ts';
import { toPosix } from '../../shared/paths.ts';
import type { Batch } from './batch.ts';
import { changeOf, KnownFiles, type KnownFilesOptions } from './known-files.ts';
import { NewFolders } from './new-folders.ts';

/** A chokidar watcher. */
export interface FileEvents {
  on(event: FileEvent, listener: (path: string) => void): unknown;
  /** Fires when chokidar watches the folders that it was first given, or a little before. */
  on(event: 'ready', listener: () => void): unknown;
  off(event: FileEvent, listener: (path: string) => void): unknown;
  off(event: 'ready', listener: () => void): unknown;
  add(folder: string): unknown;
}

type FileEvent = 'add' | 'change' | 'unlink' | 'addDir' | 'unlinkDir';

export interface FileWatchOptions
  extends Pick<KnownFilesOptions, 'known'>,
    Partial<Omit<KnownFilesOptions, 'known'>> {
  events: FileEvents;
  isWatched(file: string): boolean;
  /** Called for the first file of a batch; a call of `onBatch` always follows. */
  onFirst(file: string): void;
  /** The batch may turn out empty. */
  onBatch(batch: Batch): void;
}

/** An editor's "Save all" writes its files within a millisecond or two. */
const QUIET_MS = 3;
/** A branch switch writes hundreds of files, with pauses in between: worth waiting for the last. */
const BURST_FILES = 5;
const BURST_QUIET_MS = 60;
const BURST_LIMIT_MS = 1_000;
/** chokidar drops a second event of a file within 50 ms, so a second look at each file comes after that. */
const RECHECK_MS = 70;
/** A program may take this long between opening a file and writing it. */
const EMPTY_LIMIT_MS = 250;
/** By the last look, chokidar watches even 5,000 files, and the app has loaded its files outside the project. */
const LOOKS_MS = [500, 3_000, 10_000];
/** A restart takes seconds, so it waits for the rest of a branch switch. */
const SETTLED_MS = 100;
const SETTLE_LIMIT_MS = 2_000;

/**
 * Turns file events into batches of files whose content really changed. Looks at each file once more a little
 * later: otherwise the app would stay on the version before a format-on-save.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #events: FileEvents;
  readonly #files: KnownFiles;
  readonly #folders: NewFolders;
  readonly #pending = new Map<string, FileChange>();
  readonly #rechecks = new Map<string, NodeJS.Timeout>();
  /** Files that were found empty: perhaps a program has just opened them, and is about to write. */
  readonly #emptied = new Map<string, Emptied>();
  #looks: NodeJS.Timeout[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the first pending event came in. */
  #since = 0;
  #lastEventAt = 0;

  constructor(options: FileWatchOptions) {
    const { events, known, isWatched, loaded = () => [], present = () => [] } = options;
    this.#options = options;
    this.#events = events;
    this.#files = new KnownFiles({ known, loaded, present });
    this.#folders = new NewFolders({
      isWatched: (folder) => isWatched(`${folder}/any.ts`),
      isNewFile: (file) => isWatched(file) && this.#files.isNew(file),
      onFolder: (folder) => this.#events.add(folder),
      onFile: (file) => this.#queue(file, 'create'),
    });
    this.#listen();
  }

  /** Whether files have changed that are in no batch yet. */
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

  /** To be called when a restart of Vite has brought a new watcher. */
  follow(events: FileEvents): void {
    this.#unlisten();
    this.#events = events;
    this.#listen();
    this.#lookAgain();
  }

  /** @returns changed files that are in no batch */
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
    // chokidar misses a change of a file that it does not watch yet.
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

  /** Finds changes of files that chokidar did not watch yet. */
  readonly #lookAgain = (): void => {
    for (const { file, change } of this.#files.findMissed()) {
      this.#queue(file, change);
    }
  };

  #queue(file: string, change: FileChange): void {
    if (!this.#options.isWatched(file)) {
      return;
    }
    this.#lastEventAt = performance.now();
    if (this.#pending.size === 0) {
      this.#since = this.#lastEventAt;
      this.#options.onFirst(file);
    }
    // A new file that is written again is still new.
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
      // chokidar reports a renamed file's old name 100 ms after the new one: in between, the app would have both.
      batch.changes.push(...this.#files.reportGone(this.#options.isWatched));
    }
    const isEmpty = batch.changes.length === 0 && batch.unchanged.length === 0;
    // A file that was found empty is part of a later batch.
    if (!isEmpty || this.#emptied.size === 0) {
      this.#options.onBatch(batch);
    }
  }

  /** Adds the file to the batch if it has changed. */
  #look(file: string, latest: FileChange, batch: Batch): void {
    const state = readFileState(file);
    const previous = this.#files.get(file);
    // Even if nothing has changed: chokidar drops a change that follows within 50 ms.
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
      // A slow write causes two events; by the second one, the file's time is still the same.
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
  /** The first event of the file. */
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
  // A file is new if it was gone at the last look, or was never seen and its event says so.
  const isNew = previous ? previous.content === null : event === 'create';
  return isNew ? 'create' : 'update';
}
