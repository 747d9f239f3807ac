import { type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * What the files of packages were like when they were loaded, to find out whether they still are. Folders are
 * looked at as well, for what came into them, or went, may change what an import leads to.
 */
export class FileStates {
  readonly #states = new Map<string, string>();

  /** To be called before the file is read. */
  note(file: string): void {
    this.#add(file);
    for (let folder = dirname(file); !this.#states.has(folder); folder = dirname(folder)) {
      this.#add(folder);
      const parent = dirname(folder);
      if (isPackageFolder(folder)) {
        this.#add(join(folder, 'package.json'));
      }
      if (basename(folder) === 'node_modules' || parent === folder) {
        break;
      }
    }
  }

  /** @returns one that is not what it was */
  findChanged(): string | undefined {
    for (const [path, state] of this.#states) {
      if (readState(path) !== state) {
        return path;
      }
    }
    return undefined;
  }

  get size(): number {
    return this.#states.size;
  }

  #add(path: string): void {
    if (!this.#states.has(path)) {
      this.#states.set(path, readState(path));
    }
  }
}

function isPackageFolder(folder: string): boolean {
  const parent = basename(dirname(folder));
  return (
    parent === 'node_modules' ||
    (parent.startsWith('@') && basename(dirname(dirname(folder))) === 'node_modules')
  );
}

/** The time of the last change of any kind, which no program can set back. */
function readState(path: string): string {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.ino} ${stats.size} ${stats.ctimeMs}` : '';
}
