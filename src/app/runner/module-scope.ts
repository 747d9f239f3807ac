import { dirname } from 'node:path';
import { fileOfId, isTypeScript } from '../../shared/paths.ts';
import { isEsModule } from './module-code.ts';

export interface ScopeOptions {
  id: string;
  code: string;
  module: NodeJS.Module;
  meta: object;
  require: NodeJS.Require;
  importDynamically(specifier: string): Promise<unknown>;
}

/** What a module's code sees, and how its exports are completed when it has run. */
export interface ModuleScope {
  run(code: (...scope: unknown[]) => unknown, request: (specifier: string) => unknown): unknown;
  finish(): void;
}

export function createScope(options: ScopeOptions): ModuleScope {
  const { id, code, module, meta, require, importDynamically } = options;
  const exports = module.exports as Record<string, unknown>;
  const isEs = isEsModule(code);
  const ownNames: string[] = [];
  if (isEs) {
    Object.defineProperty(exports, '__esModule', { value: true });
  }

  const define = (key: string, get: () => unknown) => {
    Object.defineProperty(exports, key, { enumerable: true, configurable: true, get });
  };
  const exportName = (name: string, get: () => unknown) => {
    ownNames.push(name);
    define(name, get);
  };
  const exportAll = (from: Record<string, unknown>) => {
    for (const key of Object.keys(from)) {
      if (key !== 'default' && !Object.hasOwn(exports, key)) {
        define(key, () => from[key]);
      }
    }
  };

  return {
    run: (run, request) =>
      run.call(
        // Stock compiles TypeScript as ES modules, whether it has `import` and `export` or not.
        isEs || isTypeScript(fileOfId(id)) ? undefined : exports,
        request,
        (specifier: unknown) => importDynamically(String(specifier)),
        exports,
        exportAll,
        exportName,
        meta,
        require,
        exports,
        module,
        module.filename,
        dirname(module.filename),
      ),
    finish: () => {
      module.loaded = true;
      if (id.endsWith('.json')) {
        module.exports = exports.default;
        return;
      }
      nameDefaultExport(exports);
      sortExports(exports, ownNames);
    },
  };
}

/** Medusa derives subscriber ids from function names; this is the name that the stock loader gives. */
function nameDefaultExport(exports: Record<string, unknown>): void {
  const value = Object.hasOwn(exports, 'default') ? exports.default : undefined;
  if (typeof value !== 'function') {
    return;
  }
  const name = Object.getOwnPropertyDescriptor(value, 'name');
  if (name?.configurable && name.value === '__vite_ssr_export_default__') {
    Object.defineProperty(value, 'name', { ...name, value: '_default' });
  }
}

/** As the stock loader does: the module's own names by the alphabet, then those of `export *`. */
function sortExports(exports: Record<string, unknown>, ownNames: string[]): void {
  const sorted = ownNames.toSorted();
  const current = Object.keys(exports);
  if (sorted.every((name, index) => name === current[index])) {
    return;
  }
  for (const key of new Set([...sorted, ...current])) {
    const descriptor = Object.getOwnPropertyDescriptor(exports, key);
    if (descriptor?.configurable) {
      delete exports[key];
      Object.defineProperty(exports, key, descriptor);
    }
  }
}
