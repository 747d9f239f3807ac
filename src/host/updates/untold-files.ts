import { posix } from 'node:path';
import { isUnwatched } from '../../vite/headless.ts';
import { filesOf } from './batch.ts';
import { type FileEvents, FileWatch } from './file-watch.ts';

export interface UntoldFilesOptions {
  root: string;
  /** Files that somebody else sees to. */
  isForeign(file: string): boolean;
}

/**
 * Changed files that a host has yet to tell of: what it was started for, what changed while neither the host
 * before it watched nor its own updates did, and what was left when it was closed.
 */
export class UntoldFiles {
  readonly #options: UntoldFilesOptions;
  readonly #files = new Set<string>();
  #watch: FileWatch | undefined;

  constructor(options: UntoldFilesOptions) {
    this.#options = options;
  }

  get all(): string[] {
    return [...this.#files];
  }

  /** Relative paths are of the project. */
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

  /** Adds what changes from now on. */
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
