import { basename, dirname, join } from 'node:path';
import { FileRecord } from '../../shared/file-record.ts';
import { stampOf } from '../../shared/file-state.ts';

/**
 * The files of packages that a spare has loaded, to find out whether a new process would load the same ones. The
 * folders around them count too: a file that comes or goes there may change the file that an import leads to.
 */
export class PackageFiles {
  readonly #record = new FileRecord(stampOf);

  /** To be called before the file is loaded, for a change in between counts. */
  note(file: string): void {
    this.#record.note(file);
    for (let folder = dirname(file); !this.#record.has(folder); folder = dirname(folder)) {
      this.#record.note(folder);
      if (isPackageFolder(folder)) {
        this.#record.note(join(folder, 'package.json'));
      }
      if (basename(folder) === 'node_modules' || dirname(folder) === folder) {
        break;
      }
    }
  }

  /** @returns a file or folder that is not what it was */
  findChanged(): string | undefined {
    return this.#record.findChanged();
  }
}

function isPackageFolder(folder: string): boolean {
  const parent = dirname(folder);
  const isInScope = basename(parent).startsWith('@');
  return basename(isInScope ? dirname(parent) : parent) === 'node_modules';
}
