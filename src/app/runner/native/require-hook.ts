import { Module } from 'node:module';
import { findMedusaCli } from '../../../medusa/boot/cli.ts';
import { EXTENSIONS } from '../../../shared/extensions.ts';
import { isRunnerFile, toPosix } from '../../../shared/paths.ts';
import { createCommonJsModule } from './common-js.ts';

type Handler = (module: NodeJS.Module, filename: string) => void;

export interface RequireHookOptions {
  root: string;
  requireFile(file: string): unknown;
  /** A file outside `node_modules` that Node has loaded by itself. */
  onNative(file: string): void;
  /** Loads any file that is Node's to load. */
  load?(file: string, load: () => void): void;
}

/**
 * Gives Node's own `require` the instance that the runner has: Medusa's `defineConfig` requires the
 * modules of a project this way, and a second copy of a service class would break `instanceof` and
 * container keys. It also makes `require.resolve('./src/modules/brand')` find `index.ts`.
 */
export function hookNativeRequire({
  root,
  requireFile,
  onNative,
  load = (_, run) => run(),
}: RequireHookOptions): void {
  const { _extensions: handlers, _cache: cache } = Module as unknown as {
    _extensions: Record<string, Handler>;
    _cache: Record<string, NodeJS.Module>;
  };
  // What `require.main` is under `medusa develop`; some packages look for the project from there.
  const mainFile = findMedusaCli(root) ?? `${root}/package.json`;
  process.mainModule ??= createCommonJsModule(toPosix(mainFile));
  const loadScript = handlers['.js'];
  for (const extension of EXTENSIONS) {
    const original = handlers[extension] ?? loadScript;
    handlers[extension] = (module, filename) => {
      const file = toPosix(filename);
      if (isRunnerFile(root, file)) {
        module.exports = requireFile(file);
        // Node must ask again next time: what it keeps would be stale after a reload.
        delete cache[filename];
        return;
      }
      if (!file.includes('/node_modules/')) {
        onNative(file);
      }
      load(filename, () => original?.(module, filename));
    };
  }
  const loadCommonJs = handlers['.cjs'] ?? loadScript;
  handlers['.cjs'] = (module, filename) => {
    const file = toPosix(filename);
    if (!file.includes('/node_modules/')) {
      onNative(file);
    }
    load(filename, () => loadCommonJs?.(module, filename));
  };
}
