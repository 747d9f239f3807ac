import type { ViteDevServer } from 'vite';
import {
  packageOf,
  sourceFiles,
  topLevelFiles,
  workspaceLockfiles,
} from '../../project/project.ts';
import { tsconfigFiles } from '../../project/tsconfig-files.ts';
import { isAbsoluteFile, isInside, toPosix } from '../../shared/paths.ts';
import { isUnwatched } from '../../vite/headless.ts';
import type { Batch } from './batch.ts';
import { FileWatch } from './file-watch.ts';

export interface WatchedFilesOptions {
  root: string;
  vite: ViteDevServer;
  /** Files that somebody else sees to. */
  isForeign(file: string): boolean;
  /** Files that the app has loaded. */
  loaded(): Iterable<string>;
  /** A file has changed, and more may follow; a call of `onBatch` comes later in any case. */
  onFirst(file: string): void;
  onBatch(batch: Batch): void;
}

/** All files whose changes matter: the project, and what it uses from outside of it. */
export class WatchedFiles {
  readonly #options: WatchedFilesOptions;
  /** Unset before `start` and after `close`. */
  #watch: FileWatch | undefined;
  /** What Vite does not watch by itself, and a new watcher would not know of. */
  readonly #outside = new Set<string>();
  /** What the sources are compiled with, as it was before a change. */
  #tsconfigs: string[] = [];

  constructor(options: WatchedFilesOptions) {
    this.#options = options;
  }

  get tsconfigs(): readonly string[] {
    return this.#tsconfigs;
  }

  /** Files have changed that are in no batch yet. */
  get isPending(): boolean {
    return this.#watch?.isPending ?? false;
  }

  /** Resolves when no file has changed for a while, or after a limit. */
  async settled(): Promise<void> {
    await this.#watch?.settled();
  }

  /** @param known files whose present content is in what the app is about to load, and was told of */
  start(known: string[]): void {
    const { root, vite, isForeign, loaded, onFirst, onBatch } = this.#options;
    const lockfiles = workspaceLockfiles(root);
    this.#addProject();
    this.#add(lockfiles);
    this.addTsconfigs();
    this.#watch = new FileWatch({
      events: vite.watcher,
      known: [...topLevelFiles(root), ...lockfiles, ...this.#tsconfigs, ...known],
      isWatched: (file) => !isUnwatched(root, file) && !isForeign(file),
      loaded,
      present: () => [...sourceFiles(root), ...topLevelFiles(root)],
      onFirst,
      onBatch,
    });
  }

  /** To be called when Vite has a new watcher. */
  follow(): void {
    const { watcher } = this.#options.vite;
    this.#addProject();
    watcher.add([...this.#outside]);
    this.#watch?.follow(watcher);
  }

  /** Vite watches a file out there as such, and so would miss those that come, or come back. */
  addPackagesOf(files: string[]): void {
    const { root } = this.#options;
    const outside = files.filter((file) => isAbsoluteFile(file) && !isInside(root, file));
    this.#add([...new Set(outside.map((file) => packageOf(root, file)))]);
  }

  /** To be called when there may be others. */
  addTsconfigs(): void {
    const { root } = this.#options;
    this.#tsconfigs = tsconfigFiles(root);
    this.#add(this.#tsconfigs.filter((file) => !isInside(root, file)));
  }

  /** @returns files that have changed and are in no batch */
  close(): string[] {
    const pending = this.#watch?.close() ?? [];
    // Vite may be about to restart, with another watcher to follow.
    this.#watch = undefined;
    return pending;
  }

  /** A front end beside the backend may well be all that Vite looks at. */
  #addProject(): void {
    const { root, vite } = this.#options;
    if (!isInside(toPosix(vite.config.root), `${root}/`)) {
      vite.watcher.add(root);
    }
  }

  #add(files: string[]): void {
    // Each app reports the same ones again, and the watcher would note each once more.
    const fresh = files.filter((file) => !this.#outside.has(file));
    for (const file of fresh) {
      this.#outside.add(file);
    }
    this.#options.vite.watcher.add(fresh);
  }
}
