import { existsSync } from 'node:fs';
import type { Change } from '../../shared/change.ts';
import { changedAt, contentOf, type FileState, readFileState } from '../../shared/file-state.ts';

export interface KnownFilesOptions {
  /** Files whose present content is in use, such as `.env`. */
  known: string[];
  /** Files that the app has loaded. */
  loaded(): Iterable<string>;
  /** Existing files that may concern the app, loaded or not. */
  present(): Iterable<string>;
}

/** Remembers each file's state at its last report, to find the files that have changed since. */
export class KnownFiles {
  readonly #options: KnownFilesOptions;
  readonly #reported = new Map<string, FileState>();
  /** Files that existed at the last look. */
  #seen: Set<string>;
  /** When the last look was, by the clock that dates files. */
  #lookedAt = Date.now();

  constructor(options: KnownFilesOptions) {
    this.#options = options;
    this.#seen = new Set(options.present());
    for (const file of options.known) {
      this.#reported.set(file, readFileState(file));
    }
  }

  /** The file's state at its last report; undefined if there was none. */
  get(file: string): FileState | undefined {
    return this.#reported.get(file);
  }

  report(file: string, state: FileState): void {
    this.#reported.set(file, state);
  }

  isChanged(file: string): boolean {
    return this.get(file)?.content !== contentOf(file);
  }

  /** Whether an existing file was never reported, or last reported as gone. */
  isNew(file: string): boolean {
    const reported = this.get(file);
    // A file that was reported as gone may still be gone, or be unreadable.
    return !reported || (reported.content === null && contentOf(file) !== null);
  }

  /** Finds the unreported changes since the last look, whether a watcher notices them or not. */
  findMissed(): Change[] {
    const missed: Change[] = [];
    for (const file of this.#reported.keys()) {
      if (this.isChanged(file)) {
        missed.push(changeOf(file));
      }
    }
    const since = this.#lookedAt;
    const before = this.#seen;
    const known = new Set([...before, ...this.#options.loaded()]);
    this.#lookedAt = Date.now();
    this.#seen = new Set();
    for (const file of new Set([...known, ...this.#options.present()])) {
      const time = changedAt(file);
      if (time !== null) {
        this.#seen.add(file);
      }
      if (this.#reported.has(file)) {
        continue;
      }
      if (time === null) {
        // A path that never existed may be a plugin's virtual module; `reportGone` leaves those out as well.
        if (before.has(file)) {
          missed.push({ file, change: 'delete' });
        }
      } else if (!known.has(file)) {
        missed.push({ file, change: 'create' });
      } else if (time > since) {
        missed.push({ file, change: 'update' });
      }
    }
    return missed;
  }

  /** Reports the loaded files that are gone. */
  reportGone(isWatched: (file: string) => boolean): Change[] {
    const gone: Change[] = [];
    for (const file of this.#options.loaded()) {
      const reported = this.get(file);
      const wasThere = reported ? reported.content !== null : this.#seen.has(file);
      if (wasThere && isWatched(file) && !existsSync(file)) {
        this.report(file, { content: null, writtenAt: 0 });
        gone.push({ file, change: 'delete' });
      }
    }
    return gone;
  }
}

/** The change of a file that existed, and differs now. */
export function changeOf(file: string): Change {
  return { file, change: existsSync(file) ? 'update' : 'delete' };
}
