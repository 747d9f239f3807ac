import { createRequire, isBuiltin, Module } from 'node:module';
import { dirname } from 'node:path';
import { isAbsoluteFile, toNative, toPosix } from '../../../shared/paths.ts';

interface ModuleInternals {
  _nodeModulePaths(from: string): string[];
  _resolveFilename(specifier: string, parent: NodeJS.Module): string;
  _resolveLookupPaths(specifier: string, parent: NodeJS.Module): string[] | null;
  _cache: Record<string, NodeJS.Module>;
  /** Resolved files, by the specifier and the folders that were searched for it. */
  _pathCache: Record<string, string>;
}

const internals = Module as unknown as ModuleInternals;

/** The parent is not given to Node's constructor, which would make it keep every version of the module. */
export function createCommonJsModule(file: string, parent?: NodeJS.Module): NodeJS.Module {
  const filename = toNative(file);
  const module = new Module(filename);
  module.filename = filename;
  module.paths = internals._nodeModulePaths(dirname(filename));
  Object.assign(module, { parent });
  return module;
}

/** Replaces an earlier version, which a parent that was not reloaded must not keep. */
export function addChild(parent: NodeJS.Module, child: NodeJS.Module): void {
  const index = parent.children.findIndex(({ id }) => id === child.id);
  parent.children[index < 0 ? parent.children.length : index] = child;
}

/** @throws what Node's `require` throws. */
export function resolveNatively(specifier: string, importer: NodeJS.Module): string {
  if (specifier.startsWith('.')) {
    forgetResolution(specifier, [dirname(importer.filename)]);
    return resolved(specifier, importer);
  }
  const file = resolved(specifier, importer);
  if (isBuiltin(file) || file.includes('/node_modules/')) {
    return file;
  }
  forgetResolution(specifier, internals._resolveLookupPaths(specifier, importer) ?? []);
  return resolved(specifier, importer);
}

function resolved(specifier: string, importer: NodeJS.Module): string {
  const path = internals._resolveFilename(specifier, importer);
  return isBuiltin(path) ? path : toPosix(path);
}

/** Node remembers where it found a file, even when a new file now comes before it. */
function forgetResolution(specifier: string, folders: string[]): void {
  delete internals._pathCache[[specifier, ...folders].join('\0')];
}

/** @throws what Node's `require` throws. */
export function requireNatively(specifier: string, importer: NodeJS.Module): unknown {
  if (specifier.startsWith('.')) {
    forgetResolution(specifier, [dirname(importer.filename)]);
  }
  return Module.prototype.require.call(importer, specifier);
}

export interface RequireOptions {
  module: NodeJS.Module;
  load(specifier: string): unknown;
  /** The project's modules, which Node's own cache lacks. */
  evaluated: {
    get(file: string): NodeJS.Module | undefined;
    delete(file: string): void;
  };
}

/** `require` as a module of the project sees it. */
export function createProjectRequire({ module, load, evaluated }: RequireOptions): NodeJS.Require {
  const native = createRequire(module.filename);
  const cache = new Proxy(internals._cache, {
    get: (target, key) => moduleOf(key) ?? Reflect.get(target, key),
    has: (target, key) => moduleOf(key) !== undefined || Reflect.has(target, key),
    deleteProperty: (target, key) => {
      if (moduleOf(key)) {
        evaluated.delete(toPosix(String(key)));
      }
      return Reflect.deleteProperty(target, key);
    },
  });
  function moduleOf(key: string | symbol): NodeJS.Module | undefined {
    return typeof key === 'string' && isAbsoluteFile(toPosix(key))
      ? evaluated.get(toPosix(key))
      : undefined;
  }
  const require = (specifier: string): unknown => load(specifier);
  return Object.assign(require, {
    resolve: native.resolve,
    cache,
    extensions: native.extensions,
    main: native.main,
  });
}
