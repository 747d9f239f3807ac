import type { MedusaPackages } from '../packages.ts';

interface FileConfig {
  path?: string;
  isDisabled?: () => boolean;
}

/** Marks the exports of a file that `defineFileConfig` switched off. The symbol is global, so this is the same one. */
export const SKIP_FILE: unique symbol = Symbol.for('__MEDUSA_SKIP_FILE__') as never;

/**
 * `defineFileConfig` keeps its answer per file for the life of the process: a file that no longer calls it
 * would stay disabled. (`utils/dist/common/define-file-config.js`, the same in 2.12.1 and 2.21.2)
 */
export class FileConfigs {
  readonly #define: (config: FileConfig) => void;
  readonly #get: (path: string) => FileConfig | undefined;

  constructor(packages: MedusaPackages) {
    const path = 'dist/common/define-file-config.js';
    const exports = packages.require('@medusajs/utils', path);
    if (
      typeof exports.defineFileConfig !== 'function' ||
      typeof exports.getDefinedFileConfig !== 'function'
    ) {
      throw packages.unexpected(`@medusajs/utils/${path}#defineFileConfig`);
    }
    this.#define = exports.defineFileConfig as (config: FileConfig) => void;
    this.#get = exports.getDefinedFileConfig as (path: string) => FileConfig | undefined;
  }

  isDisabled(file: string): boolean {
    return !!this.#get(file)?.isDisabled?.();
  }

  /** Forgets what the file said, until it says it again. Returns how to take that back. */
  reset(file: string): () => void {
    const previous = this.#get(file);
    if (!previous) {
      return () => this.#define({ path: file });
    }
    this.#define({ path: file });
    return () => this.#define({ ...previous, path: file });
  }
}
