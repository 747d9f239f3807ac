import { posix } from 'node:path';
import { isUnwatched } from '../../vite/headless.ts';
import { filesOf } from './batch.ts';
import { type FileEvents, FileWatch } from './file-watch.ts';
import type { WatchedFilesOptions } from './watched-files.ts';

/**
 * Changed files that a host has yet to report: those that it was started for, those that changed after the
 * previous host stopped watching and before this one's updates began, and those left when it was closed.
 */
export class UntoldFiles {
  readonly #options: Pick<WatchedFilesOptions, 'root' | 'isForeign'>;
  readonly #files = new Set<string>();
  #watch: FileWatch | undefined;

  constructor(options: Pick<WatchedFilesOptions, 'root' | 'isForeign'>) {
    this.#options = options;
  }

  get all(): string[] {
    return [...this.#files];
  }

  /** @param files absolute, or relative to the project */
  add(files: string[]): void {
    for (const file of files) {
      this.#files.add(posix.resolve(this.#options.root, file));
    }
  }

  delete(files: string[]): void {
    for (const file of files) {
      this.#files.delete(file);
    }
  }

  /** Adds the files that change from now on. */
  watch(events: FileEvents): void {
    const { root, isForeign } = this.#options;
    this.#watch = new FileWatch({
      events,
      known: [],
      isWatched: (file) => !isUnwatched(root, file) && !isForeign(file),
      onFirst: () => {},
      onBatch: (batch) => this.add(filesOf(batch)),
    });
  }

  /** To be called when Vite has another watcher. */
  follow(events: FileEvents): void {
    this.#watch?.follow(events);
  }

  stopWatching(): void {
    this.add(this.#watch?.close() ?? []);
    this.#watch = undefined;
  }
}
