import { createRequire, isBuiltin, Module } from 'node:module';
import { dirname } from 'node:path';
import { isAbsoluteFile, toNative, toPosix } from '../../../shared/paths.ts';

interface ModuleInternals {
  _nodeModulePaths(from: string): string[];
  _resolveFilename(specifier: string, parent: NodeJS.Module): string;
  _resolveLookupPaths(specifier: string, parent: NodeJS.Module): string[] | null;
  _cache: Record<string, NodeJS.Module>;
  /** What a specifier was resolved to, by the specifier and the folders that it was looked for in. */
  _pathCache: Record<string, string>;
}

const internals = Module as unknown as ModuleInternals;

/** Not handed to Node's constructor, which would make the parent keep every version that a reload makes. */
export function createCommonJsModule(file: string, parent?: NodeJS.Module): NodeJS.Module {
  const filename = toNative(file);
  const module = new Module(filename);
  module.filename = filename;
  module.paths = internals._nodeModulePaths(dirname(filename));
  Object.assign(module, { parent });
  return module;
}

/** In the place of an earlier version: that one must not be kept by a parent that was not reloaded. */
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

/** Node remembers where it has found a file, also when another has come that goes before it. */
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
  /** The modules that the runner has in the place of Node. */
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
