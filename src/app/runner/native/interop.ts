import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { isAbsoluteFile } from '../../../shared/paths.ts';

const namespaces = new WeakMap<object, object>();

/**
 * What TypeScript's `esModuleInterop` makes of a CommonJS module, since that is what people's code was
 * written against under `medusa develop`. Node's own interop differs (`default`, `__esModule`, live exports).
 */
export function toNamespace(exports: unknown): object {
  if (!isObject(exports)) {
    return { default: exports };
  }
  // Of ESM that was required, Node marks those with a default; of that which was imported, none.
  if (exports.__esModule || (isEsNamespace(exports) && 'default' in exports)) {
    return exports;
  }
  let namespace = namespaces.get(exports);
  if (!namespace) {
    namespace = createNamespace(exports);
    namespaces.set(exports, namespace);
  }
  return namespace;
}

/** Node's own `import()`, resolved from the importer. */
export async function importNatively(specifier: string, importer: string): Promise<object> {
  const load = vm.runInThisContext('(specifier) => import(specifier)', {
    filename: importer,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (specifier: string) => Promise<object>;
  return load(isAbsoluteFile(specifier) ? pathToFileURL(specifier).href : specifier);
}

const NEEDS_IMPORT = new Set([
  'ERR_REQUIRE_ASYNC_MODULE',
  'ERR_REQUIRE_ESM',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
]);

/** Whether `require()` failed where `import()` will not. */
export function needsImport(error: unknown): boolean {
  return error instanceof Error && NEEDS_IMPORT.has((error as NodeJS.ErrnoException).code ?? '');
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isEsNamespace(module: object): boolean {
  return Object.prototype.toString.call(module) === '[object Module]';
}

/** Live: a property that is added or patched later is seen, as with `cjs_1.name`. */
function createNamespace(module: Record<PropertyKey, unknown>): object {
  const has = (key: PropertyKey) => key === 'default' || Object.hasOwn(module, key);
  return new Proxy(Object.create(null), {
    get: (_, key) => (key === 'default' ? module : module[key]),
    has: (_, key) => key === 'default' || key in module,
    ownKeys: () => [...Object.keys(module).filter((key) => key !== 'default'), 'default'],
    getOwnPropertyDescriptor: (_, key) =>
      has(key)
        ? {
            value: key === 'default' ? module : module[key],
            enumerable: true,
            configurable: true,
            writable: true,
          }
        : undefined,
  });
}
