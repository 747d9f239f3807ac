import { type Dirent, readdirSync } from 'node:fs';

export interface NewFoldersOptions {
  isWatched(folder: string): boolean;
  /** Whether a file is watched and new. */
  isNewFile(file: string): boolean;
  /** Called with a folder that the watcher has to watch. */
  onFolder(folder: string): void;
  onFile(file: string): void;
}

/** By then, chokidar has listed a new folder and watches it. */
const RECHECK_MS = 70;
/** On a busy machine chokidar takes longer. */
const LATER_RECHECK_MS = 1_000;

/** Finds the files that come into new folders before the watcher is ready for them. */
export class NewFolders {
  readonly #options: NewFoldersOptions;
  readonly #folders = new Set<string>();

  constructor(options: NewFoldersOptions) {
    this.#options = options;
  }

  add(folder: string): void {
    if (this.#options.isWatched(folder)) {
      this.#folders.add(folder);
      setTimeout(() => this.#lookInto(folder), RECHECK_MS).unref();
      this.#lookIntoLater(folder);
    }
  }

  delete(folder: string): void {
    this.#folders.delete(folder);
  }

  clear(): void {
    this.#folders.clear();
  }

  /** Looks again and again, until nothing is new. */
  #lookIntoLater(folder: string): void {
    setTimeout(() => {
      if (this.#lookInto(folder)) {
        this.#lookIntoLater(folder);
      }
    }, LATER_RECHECK_MS).unref();
  }

  /** @returns whether a file or folder was new */
  #lookInto(folder: string): boolean {
    const { isWatched, isNewFile, onFolder, onFile } = this.#options;
    let isAny = false;
    for (const entry of this.#folders.has(folder) ? list(folder) : []) {
      const path = `${folder}/${entry.name}`;
      if (entry.isFile() && isNewFile(path)) {
        isAny = true;
        onFile(path);
      } else if (entry.isDirectory() && !this.#folders.has(path) && isWatched(path)) {
        isAny = true;
        onFolder(path);
        this.add(path);
      }
    }
    return isAny;
  }
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // The folder is gone again.
    return [];
  }
}
