import { createRequire } from 'node:module';
import type { Exports } from '../../shared/exports.ts';
import { isRunnerFile, toPosix } from '../../shared/paths.ts';
import type { MedusaPackages } from '../packages.ts';
import { type FileConfigs, SKIP_FILE } from './file-config.ts';

export interface ProjectLoader {
  root: string;
  fileConfigs: FileConfigs;
  importFile(file: string): Promise<object>;
  /** May put stable functions in the place of those that the file exports. */
  decorate(file: string, exports: Exports): Exports;
}

/**
 * Replaces the one function through which Medusa's loaders import every file of a project. Its callers
 * reach it through getters, so the replacement is seen everywhere.
 * (`utils/dist/common/dynamic-import.js`, the same in 2.12.1 and 2.21.2)
 */
export function replaceDynamicImport(
  packages: MedusaPackages,
  { root, fileConfigs, importFile, decorate }: ProjectLoader,
): void {
  const path = 'dist/common/dynamic-import.js';
  const exports = packages.require('@medusajs/utils', path);
  packages.assertReplaceable(exports, 'dynamicImport', `@medusajs/utils/${path}`);
  const original = exports.dynamicImport as (path: string) => Promise<unknown>;
  const require = createRequire(`${root}/package.json`);
  /** What files of packages export, by the path that was asked for. They are the same while the app runs. */
  const packaged = new Map<string, unknown>();

  exports.dynamicImport = async (path: string): Promise<unknown> => {
    // A file of the project may since have disabled it.
    if (packaged.has(path) && !fileConfigs.isDisabled(path)) {
      return packaged.get(path);
    }
    const file = resolveFile(require, path);
    if (file === undefined || !isRunnerFile(root, file)) {
      const imported = await original(path);
      if (file?.includes('/node_modules/')) {
        packaged.set(path, imported);
      }
      return imported;
    }
    // A copy, because Medusa writes on what it gets.
    const copy: Exports = { ...(unwrapDefault(await importFile(file)) as Exports) };
    if (fileConfigs.isDisabled(file) || fileConfigs.isDisabled(path)) {
      copy[SKIP_FILE] = true;
    }
    return decorate(file, copy);
  };
}

/** Paths come with or without an extension, or name a folder; Node knows `.ts` from our extension hooks. */
function resolveFile(require: NodeJS.Require, path: string): string | undefined {
  try {
    return toPosix(require.resolve(path));
  } catch {
    return undefined;
  }
}

/** As Medusa's `resolveExports`: a default export inside a default export is what was meant. */
function unwrapDefault(exports: object): object {
  const inner = (exports as Exports).default;
  const isNested = inner instanceof Object && inner !== exports && 'default' in inner;
  return isNested ? unwrapDefault(inner) : exports;
}
