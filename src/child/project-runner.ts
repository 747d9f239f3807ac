import { createRequire, isBuiltin, Module } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import type { ModuleCache } from 'vite-node';
import { ViteNodeRunner } from 'vite-node/client';
import { createImportMetaEnvProxy } from 'vite-node/utils';
import type { ChannelReply, ChannelRequest } from '../protocol/channel.ts';
import type { FetchedModule } from '../protocol/messages.ts';
import { fileOfId, isRunnerFile, toPosix } from '../protocol/paths.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import { toNamespace } from './interop.ts';

export interface ProjectRunnerOptions {
  root: string;
  channel: { request(request: ChannelRequest): ChannelReply };
  /** A dependency that no static analysis sees: `require()`, or `import()` of a computed path. */
  onEdge(importer: string, id: string): void;
  createHot?(id: string): unknown;
}

/** vite-node's record of a module, and what `require()` of it returns. */
interface RunnerModule extends ModuleCache {
  required?: unknown;
}

type Target = { id: string; external?: undefined } | { external: string; id?: undefined };

/**
 * A ViteNodeRunner that evaluates synchronously, in the order in which Node runs CommonJS.
 *
 * Medusa's loaders import many files at once; vite-node's asynchronous evaluation then interleaves them
 * and hands out half-filled exports where two loads meet in a cycle. Evaluated in one go, a load either
 * is done or never was: `require()` of TypeScript works, and a reload can be taken back.
 * Only a module with top-level await (or a package that has it) makes an `import()` wait: the evaluation
 * stops before its body runs, the awaited module is evaluated first, and the evaluation starts again.
 */
export class ProjectRunner extends ViteNodeRunner {
  readonly #options: ProjectRunnerOptions;
  /** Code that came from the host and was not evaluated yet. */
  readonly #supplied = new Map<string, FetchedModule>();
  /** Modules with top-level await, while they run. */
  readonly #awaited = new Map<string, Promise<void>>();
  /** Packages that only `import()` can load, once loaded. */
  readonly #imported = new Map<string, object>();
  /** Set while a reload is tried: what was there before. */
  #stash: Map<string, RunnerModule | undefined> | undefined;
  /** Evaluated since the outermost load began; a failure takes those with it that saw half of a cycle. */
  readonly #session = new Set<string>();
  #depth = 0;
  #evaluations = 0;

  constructor(options: ProjectRunnerOptions) {
    super({ root: options.root, fetchModule: async (id) => this.#fetch(id, undefined) });
    this.#options = options;
  }

  /** Modules evaluated since the process started. */
  get evaluations(): number {
    return this.#evaluations;
  }

  isEvaluated(id: string): boolean {
    return this.moduleCache.has(id);
  }

  codeOf(id: string): string | undefined {
    return this.moduleCache.has(id) ? this.moduleCache.getByModuleId(id).code : undefined;
  }

  /** What `require()` of a project file gives, but waits for top-level await. */
  async importFile(file: string): Promise<object> {
    await this.#import({ id: file }, undefined);
    return this.requireFile(file) as object;
  }

  /** What `require()` of a project file gives. */
  requireFile(file: string, importer?: string): unknown {
    const module = this.#evaluated(file, importer);
    return 'required' in module ? module.required : module.exports;
  }

  /** vite-node's way in (`executeFile`, `executeId`); its types leave it out, so no `override`. */
  async cachedRequest(_id: string, fsPath: string): Promise<object> {
    return this.#import(this.#resolve(fsPath, `${this.root}/package.json`), undefined);
  }

  /**
   * Forgets the modules, but keeps them aside until `commit` or `rollback`. What the host does not supply
   * anew kept its code: it is evaluated again only because something that it imports has changed.
   */
  begin(invalidated: Iterable<string>, supplied: Record<string, FetchedModule>): void {
    this.#stash = new Map();
    for (const id of invalidated) {
      this.#supplied.delete(id);
      if (!this.moduleCache.has(id)) {
        continue;
      }
      const module = this.moduleCache.getByModuleId(id);
      this.#stash.set(id, module);
      this.moduleCache.deleteByModuleId(id);
      if (module.code !== undefined) {
        this.#supplied.set(id, { code: module.code });
      }
    }
    this.#supply(supplied);
  }

  commit(): void {
    this.#stash = undefined;
  }

  rollback(): void {
    for (const [id, module] of this.#stash ?? []) {
      this.#supplied.delete(id);
      if (module) {
        this.moduleCache.setByModuleId(id, module);
      } else {
        this.moduleCache.deleteByModuleId(id);
      }
    }
    this.#stash = undefined;
  }

  async #import(target: Target, importer: string | undefined): Promise<object> {
    for (;;) {
      try {
        return target.external === undefined
          ? (this.#evaluated(target.id, importer).exports as object)
          : this.#external(target.external, importer);
      } catch (error) {
        if (!(error instanceof NeedsAwait)) {
          throw error;
        }
        await error.settle();
      }
    }
  }

  #evaluated(id: string, importer: string | undefined): RunnerModule {
    if (this.#awaited.has(id)) {
      const pending = this.#awaited.get(id);
      throw new NeedsAwait(id, async () => pending);
    }
    if (this.moduleCache.has(id)) {
      const module = this.moduleCache.getByModuleId(id);
      if (module.exports) {
        // In a cycle these exports are still being filled, as in CommonJS.
        return module;
      }
    }
    const fetched = this.#fetch(id, importer);
    const module: RunnerModule = { imports: new Set(), importers: new Set() };
    this.#remember(id);
    this.moduleCache.setByModuleId(id, module);
    this.#session.add(id);
    this.#depth++;
    try {
      if (fetched.externalize === undefined) {
        this.#evaluate(id, fetched.code, module);
      } else {
        module.exports = this.#external(fetched.externalize, importer);
      }
      this.#supplied.delete(id);
      module.evaluated = true;
      return module;
    } catch (error) {
      this.#forget(id);
      throw error;
    } finally {
      this.#depth--;
      if (this.#depth === 0) {
        this.#session.clear();
      }
    }
  }

  #evaluate(id: string, code: string, module: RunnerModule): void {
    const run = compile(id, code, 'sync');
    if (run === 'top-level-await') {
      throw new NeedsAwait(id, () => this.#evaluateAwaited(id, code));
    }
    const scope = this.#createScope(id, code, module);
    const request = (dependency: string) => this.#request(dependency, id);
    run.apply(scope.exports, scope.arguments(request));
    this.#evaluations++;
    scope.finish();
  }

  #evaluateAwaited(id: string, code: string): Promise<void> {
    const run = compile(id, code, 'async');
    if (run === 'top-level-await') {
      throw new Error(`Expected \`${id}\` to compile as an async function; this is our bug.`);
    }
    const module: RunnerModule = { imports: new Set(), importers: new Set() };
    const scope = this.#createScope(id, code, module);
    const request = (dependency: string) => this.#import(this.#resolve(dependency, id), id);
    const running = (async () => {
      try {
        await run.apply(scope.exports, scope.arguments(request));
        this.#evaluations++;
        scope.finish();
        this.#remember(id);
        module.evaluated = true;
        this.moduleCache.setByModuleId(id, module);
        this.#supplied.delete(id);
      } finally {
        this.#awaited.delete(id);
      }
    })();
    this.#awaited.set(id, running);
    return running;
  }

  /** What the module's code sees, and how its exports are completed when it has run. */
  #createScope(id: string, code: string, module: RunnerModule): Scope {
    const file = fileOfId(id);
    const exports: Record<string, unknown> = {};
    let isEsModule = false;
    let required: unknown = exports;
    Object.assign(module, { code, exports });

    const markEsModule = () => {
      if (!isEsModule) {
        isEsModule = true;
        Object.defineProperty(exports, '__esModule', { value: true });
      }
    };
    const define = (key: string, get: () => unknown) => {
      Object.defineProperty(exports, key, { enumerable: true, configurable: true, get });
    };
    const exportName = (name: string, getter: () => unknown) => {
      markEsModule();
      define(name, getter);
    };
    const exportAll = (from: Record<string, unknown>) => {
      markEsModule();
      for (const key of Object.keys(from)) {
        if (key !== 'default' && !Object.hasOwn(exports, key)) {
          define(key, () => from[key]);
        }
      }
    };
    const commonJs = createCommonJsModule(file);
    Object.defineProperty(commonJs, 'exports', {
      enumerable: true,
      get: () => required,
      set: (value: unknown) => {
        required = value;
        module.required = value;
      },
    });
    const meta = this.#createMeta(id, file);
    const require = this.#createRequire(id, file);

    return {
      exports,
      arguments: (request) => [
        request,
        (specifier: unknown) => this.#importDynamically(String(specifier), id),
        exports,
        exportAll,
        exportName,
        meta,
        require,
        exports,
        commonJs,
        file,
        dirname(file),
      ],
      finish: () => {
        commonJs.loaded = true;
        nameDefaultExport(exports);
        if (required !== exports) {
          completeFromCommonJs(exports, required, define);
        } else if (file.endsWith('.json')) {
          module.required = exports.default;
        } else if (!isEsModule && !Object.hasOwn(exports, 'default')) {
          Object.defineProperty(exports, 'default', { configurable: true, value: exports });
        }
      },
    };
  }

  #createMeta(id: string, file: string): object {
    const meta = {
      url: pathToFileURL(file).href,
      filename: file,
      dirname: dirname(file),
      env: metaEnv,
      resolve: (specifier: string) => {
        const target = this.#resolve(specifier, id);
        return target.id === undefined ? target.external : pathToFileURL(target.id).href;
      },
    };
    let hot: unknown;
    Object.defineProperty(meta, 'hot', {
      enumerable: true,
      get: () => {
        hot ??= this.#options.createHot?.(id);
        return hot;
      },
    });
    return meta;
  }

  #createRequire(id: string, file: string): NodeJS.Require {
    const native = createRequire(file);
    const require = (specifier: string): unknown => {
      const resolved = this.#resolveRequired(specifier, id, native);
      if (resolved === undefined || !isRunnerFile(this.root, resolved)) {
        return native(specifier);
      }
      this.#options.onEdge(id, resolved);
      try {
        return this.requireFile(resolved, id);
      } catch (error) {
        throw error instanceof NeedsAwait ? error.asRequireError(specifier) : error;
      }
    };
    return Object.assign(require, {
      resolve: native.resolve,
      cache: native.cache,
      extensions: native.extensions,
      main: native.main,
    });
  }

  #resolveRequired(
    specifier: string,
    importer: string,
    native: NodeJS.Require,
  ): string | undefined {
    if (isBuiltin(specifier)) {
      return undefined;
    }
    try {
      return toPosix(native.resolve(specifier));
    } catch (error) {
      // An alias of tsconfig `paths`, or a specifier that only Vite understands.
      const id = this.#askHostToResolve(specifier, importer);
      if (id === undefined) {
        throw error;
      }
      return id;
    }
  }

  #importDynamically(specifier: string, importer: string): Promise<object> {
    const target = this.#resolve(specifier, importer);
    if (target.id !== undefined) {
      this.#options.onEdge(importer, target.id);
    }
    return this.#import(target, importer);
  }

  #request(specifier: string, importer: string): object {
    const target = this.#resolve(specifier, importer);
    if (target.external !== undefined) {
      return this.#external(target.external, importer);
    }
    this.moduleCache.getByModuleId(importer).imports.add(target.id);
    return this.#evaluated(target.id, importer).exports as object;
  }

  /** Vite has already resolved static imports to URLs; only computed specifiers arrive as written. */
  #resolve(specifier: string, importer: string): Target {
    if (specifier.startsWith('/@fs/')) {
      const path = specifier.slice('/@fs'.length);
      return { id: /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path };
    }
    if (specifier.startsWith('/@id/')) {
      return { id: specifier.slice('/@id/'.length).replace('__x00__', '\0') };
    }
    if (isBuiltin(specifier)) {
      return { external: specifier };
    }
    const path = specifier.startsWith('file:') ? toPosix(fileURLToPath(specifier)) : specifier;
    if (path.startsWith('/') || path.startsWith('.') || /^[A-Za-z]:[\\/]/.test(path)) {
      return this.#resolvePath(path, importer);
    }
    const native = this.#resolveNatively(path, importer);
    if (native !== undefined) {
      return isRunnerFile(this.root, native) ? { id: native } : { external: path };
    }
    const id = this.#askHostToResolve(path, importer);
    return id === undefined || !isRunnerFile(this.root, fileOfId(id)) ? { external: path } : { id };
  }

  #resolvePath(path: string, importer: string): Target {
    if (path.startsWith('/') && !path.startsWith(`${this.root}/`)) {
      const inRoot = this.root + path;
      if (this.moduleCache.has(inRoot) || this.#supplied.has(inRoot)) {
        return { id: inRoot };
      }
    }
    if (this.moduleCache.has(path) || this.#supplied.has(path)) {
      return { id: path };
    }
    const id =
      this.#askHostToResolve(path, importer) ?? toPosix(resolve(dirname(fileOfId(importer)), path));
    return isRunnerFile(this.root, fileOfId(id)) || id.startsWith('\0') ? { id } : { external: id };
  }

  #resolveNatively(specifier: string, importer: string): string | undefined {
    try {
      return toPosix(createRequire(fileForRequire(importer, this.root)).resolve(specifier));
    } catch {
      return undefined;
    }
  }

  #askHostToResolve(specifier: string, importer: string): string | undefined {
    const reply = this.#options.channel.request({ type: 'resolve', specifier, importer });
    return reply.type === 'resolved' && reply.id !== null ? reply.id : undefined;
  }

  /**
   * `require` first: it is what Medusa itself uses, so a package with two formats stays one instance.
   * `import()` only where a package cannot be required.
   */
  #external(specifier: string, importer: string | undefined): object {
    const from = fileForRequire(importer, this.root);
    const key = `${dirname(from)}\0${specifier}`;
    const imported = this.#imported.get(key);
    if (imported) {
      return imported;
    }
    try {
      return toNamespace(createRequire(from)(specifier));
    } catch (error) {
      if (!needsImport(error)) {
        throw error;
      }
      throw new NeedsAwait(specifier, async () => {
        this.#imported.set(key, toNamespace(await importNatively(specifier, from)));
      });
    }
  }

  #fetch(id: string, importer: string | undefined): FetchedModule {
    const supplied = this.#supplied.get(id);
    if (supplied) {
      return supplied;
    }
    const reply = this.#options.channel.request({ type: 'fetch', id, importer });
    if (reply.type === 'error') {
      throw deserializeError(reply.error);
    }
    if (reply.type === 'modules') {
      this.#supply(reply.modules);
    }
    const module = this.#supplied.get(id);
    if (!module) {
      throw new Error(`Expected the host to send \`${id}\`; this is our bug.`);
    }
    return module;
  }

  #supply(modules: Record<string, FetchedModule>): void {
    for (const [id, module] of Object.entries(modules)) {
      if (!this.moduleCache.has(id)) {
        this.#supplied.set(id, module);
      }
    }
  }

  #remember(id: string): void {
    if (this.#stash && !this.#stash.has(id)) {
      this.#stash.set(id, undefined);
    }
  }

  #forget(id: string): void {
    this.moduleCache.deleteByModuleId(id);
    this.#session.delete(id);
    for (const other of this.#session) {
      if (this.moduleCache.getByModuleId(other).imports.has(id)) {
        this.#forget(other);
      }
    }
  }
}

interface Scope {
  exports: object;
  arguments(request: (dependency: string) => unknown): unknown[];
  finish(): void;
}

const PARAMETERS = [
  '__vite_ssr_import__',
  '__vite_ssr_dynamic_import__',
  '__vite_ssr_exports__',
  '__vite_ssr_exportAll__',
  '__vite_ssr_exportName__',
  '__vite_ssr_import_meta__',
  'require',
  'exports',
  'module',
  '__filename',
  '__dirname',
].join(',');

const AWAITED_IMPORT = /^(const __vite_ssr_import_\d+__ = )await (?=__vite_ssr_import__\()/gm;

const metaEnv = createImportMetaEnvProxy();

type Run = (...scope: unknown[]) => unknown;

/** The inner block lets a module declare its own `require` or `__dirname`. */
function compile(id: string, code: string, mode: 'sync' | 'async'): Run | 'top-level-await' {
  const prefix = `(${mode === 'async' ? 'async ' : ''}function(${PARAMETERS}){'use strict';{`;
  // Blanks keep the columns, so that source maps stay right.
  const body = mode === 'sync' ? code.replace(AWAITED_IMPORT, '$1      ') : code;
  const source = body.startsWith('#!') ? `//${body.slice(2)}` : body;
  try {
    return vm.runInThisContext(`${prefix}${source}\n}})`, {
      filename: fileOfId(id),
      columnOffset: -prefix.length,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }) as Run;
  } catch (error) {
    if (mode === 'sync' && error instanceof SyntaxError && /\bawait\b/.test(source)) {
      compile(id, code, 'async');
      return 'top-level-await';
    }
    throw error;
  }
}

/** Thrown through a synchronous evaluation that met something which has to be awaited first. */
class NeedsAwait extends Error {
  readonly settle: () => Promise<void>;
  readonly #what: string;

  constructor(what: string, settle: () => Promise<void> | undefined) {
    super(`\`${what}\` has a top-level await`);
    this.#what = what;
    this.settle = async () => settle();
  }

  asRequireError(specifier: string): Error {
    const error = new Error(
      `\`${specifier}\` cannot be loaded with require(): \`${this.#what}\` uses top-level await. Use import() instead.`,
    );
    return Object.assign(error, { code: 'ERR_REQUIRE_ASYNC_MODULE' });
  }
}

const NEEDS_IMPORT = new Set([
  'ERR_REQUIRE_ASYNC_MODULE',
  'ERR_REQUIRE_ESM',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
]);

function needsImport(error: unknown): boolean {
  return error instanceof Error && NEEDS_IMPORT.has((error as NodeJS.ErrnoException).code ?? '');
}

/** Node's own `import()`, resolved from the importer. */
async function importNatively(specifier: string, importer: string): Promise<unknown> {
  const load = vm.runInThisContext('(specifier) => import(specifier)', {
    filename: importer,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (specifier: string) => Promise<unknown>;
  return load(/^(?:\/|[A-Za-z]:\/)/.test(specifier) ? pathToFileURL(specifier).href : specifier);
}

/** Virtual modules have no folder of their own. */
function fileForRequire(importer: string | undefined, root: string): string {
  const file = importer === undefined ? '' : fileOfId(importer);
  return /^(?:\/|[A-Za-z]:\/)/.test(file) ? file : `${root}/package.json`;
}

function createCommonJsModule(file: string): NodeJS.Module {
  const module = new Module(file);
  module.filename = file;
  module.paths = nodeModulePaths(dirname(file));
  return module;
}

function nodeModulePaths(directory: string): string[] {
  const module = Module as unknown as { _nodeModulePaths(from: string): string[] };
  return module._nodeModulePaths(directory);
}

/** Importers hold on to the exports object, so what `module.exports = …` gave is copied onto it. */
function completeFromCommonJs(
  exports: Record<string, unknown>,
  required: unknown,
  define: (key: string, get: () => unknown) => void,
): void {
  const namespace = toNamespace(required) as Record<string, unknown>;
  for (const key of Object.keys(namespace)) {
    define(key, () => namespace[key]);
  }
  if (!Object.hasOwn(exports, 'default')) {
    define('default', () => namespace.default);
  }
}

/** Medusa derives subscriber ids from function names; this is the name that the stock loader gives. */
function nameDefaultExport(exports: Record<string, unknown>): void {
  const value = Object.hasOwn(exports, 'default') ? exports.default : undefined;
  if (typeof value !== 'function') {
    return;
  }
  const name = Object.getOwnPropertyDescriptor(value, 'name');
  if (name?.configurable && (name.value === '__vite_ssr_export_default__' || name.value === '')) {
    Object.defineProperty(value, 'name', { ...name, value: '_default' });
  }
}

/** @throws never; the error keeps the position that the host found. */
export function deserializeError(error: SerializedError): Error {
  const { cause, name, ...rest } = error;
  const result = Object.assign(
    new Error(error.message, cause ? { cause: deserializeError(cause) } : undefined),
    rest,
  );
  Object.defineProperty(result, 'name', { value: name, configurable: true });
  return result;
}
