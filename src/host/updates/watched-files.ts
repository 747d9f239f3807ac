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
  /** Whether a file belongs to the launcher. */
  isForeign(file: string): boolean;
  loaded(): Iterable<string>;
  /** Called for the first file of a batch; a call of `onBatch` always follows. */
  onFirst(file: string): void;
  onBatch(batch: Batch): void;
}

/** Watches all files whose changes matter: the project's, and those that the app uses from outside. */
export class WatchedFiles {
  readonly #options: WatchedFilesOptions;
  /** Unset before `start` and after `close`. */
  #watch: FileWatch | undefined;
  /** Files and folders that Vite does not watch by itself; each new watcher has to add them again. */
  readonly #outside = new Set<string>();
  #tsconfigs: string[] = [];

  constructor(options: WatchedFilesOptions) {
    this.#options = options;
  }

  get tsconfigs(): readonly string[] {
    return this.#tsconfigs;
  }

  /** Whether files have changed that are in no batch yet. */
  get isPending(): boolean {
    return this.#watch?.isPending ?? false;
  }

  /** Resolves when no file has changed for a while, or after a limit. */
  async settled(): Promise<void> {
    await this.#watch?.settled();
  }

  /** @param known files that the host reports by itself; the app is about to load their present content */
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

  /** Outside of the project, Vite watches single files only, and would miss files that come, or come back. */
  addPackagesOf(files: string[]): void {
    const { root } = this.#options;
    const outside = files.filter((file) => isAbsoluteFile(file) && !isInside(root, file));
    this.#add([...new Set(outside.map((file) => packageOf(root, file)))]);
  }

  /** To be called when there may be other tsconfigs. */
  addTsconfigs(): void {
    const { root } = this.#options;
    this.#tsconfigs = tsconfigFiles(root);
    this.#add(this.#tsconfigs.filter((file) => !isInside(root, file)));
  }

  /** @returns changed files that are in no batch */
  close(): string[] {
    const pending = this.#watch?.close() ?? [];
    // Vite may be about to restart: a closed watch must not follow the next watcher.
    this.#watch = undefined;
    return pending;
  }

  /** Vite may watch only a front end that lies beside the backend. */
  #addProject(): void {
    const { root, vite } = this.#options;
    if (!isInside(toPosix(vite.config.root), `${root}/`)) {
      vite.watcher.add(root);
    }
  }

  #add(files: string[]): void {
    // Each app reports the same files again, and the watcher would keep them once more.
    const fresh = files.filter((file) => !this.#outside.has(file));
    for (const file of fresh) {
      this.#outside.add(file);
    }
    this.#options.vite.watcher.add(fresh);
  }
}
