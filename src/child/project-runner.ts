import { isBuiltin } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { ModuleCache } from 'vite-node';
import { ViteNodeRunner } from 'vite-node/client';
import type { ChannelReply, ChannelRequest } from '../protocol/channel.ts';
import type { FetchedModule } from '../protocol/messages.ts';
import { fileOfId, isAbsoluteFile, isRunnerFile, toNative } from '../protocol/paths.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import {
  addChild,
  createCommonJsModule,
  createProjectRequire,
  requireNatively,
} from './common-js.ts';
import { modulesInCycles } from './import-cycles.ts';
import { importedNames } from './imported-names.ts';
import { importNatively, needsImport, toNamespace } from './interop.ts';
import { compile } from './module-code.ts';
import { ModuleResolution, type Target } from './module-resolution.ts';
import { createScope, type ModuleScope } from './module-scope.ts';
import { asRequireError, NeedsAwait } from './needs-await.ts';

export interface ProjectRunnerOptions {
  root: string;
  channel: { request(request: ChannelRequest): ChannelReply };
  /** A dependency that no static analysis sees: `require()`, or `import()` of a computed path. */
  onEdge(importer: string, id: string): void;
  /** A file outside `node_modules` that is handed to Node's own `import()`. */
  onNative?(file: string): void;
  createHot?(id: string): unknown;
}

/** vite-node's record of a module, with the module as Node's CommonJS knows it. */
interface RunnerModule extends ModuleCache {
  imports: Set<string>;
  /** Of those: imported in a way that does not name what is used of them. */
  opaqueImports: Set<string>;
  /** Exports that never change, if they are primitive. */
  constants: string[];
  isInert?: boolean | undefined;
  node: NodeJS.Module;
}

/** What a reload does with the modules. */
export interface ModuleReload {
  /** Out of date: their own code, or that of something that they import. */
  invalidated: Iterable<string>;
  /** New code. What has none kept its own: it is evaluated again only for what it imports. */
  fresh: Record<string, FetchedModule>;
  deleted: ReadonlySet<string>;
  /** Whether all of them evaluate, also those that have imported nothing different. */
  isForced: boolean;
  /** Nothing that the module has imported turned out different, so it goes on as it was. */
  onKept(id: string): void;
}

/** A reload that is under way. */
interface Reloading extends ModuleReload {
  /** Modules as they were before; undefined for those that were not evaluated. */
  asides: Map<string, RunnerModule | undefined>;
  /** Code of modules that were not evaluated when it began. */
  suppliedBefore: Map<string, FetchedModule>;
  /** Put back, because nothing changed for them. */
  kept: Set<string>;
  /** Made when it is first needed. */
  inCycles?: Set<string>;
}

interface AwaitedModule {
  module: RunnerModule;
  finished: Promise<void>;
  /** What its own evaluation waits for, while it does. */
  waitsFor?: string;
}

const NONE: ReadonlySet<string> = new Set();

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
  readonly #resolution: ModuleResolution;
  /** Stands for Medusa, which asks for the first module; packages are found from the project's root. */
  readonly #origin: NodeJS.Module;
  /** Code that came from the host and was not evaluated yet. */
  readonly #supplied = new Map<string, FetchedModule>();
  /** Modules with top-level await, while they run. */
  readonly #awaited = new Map<string, AwaitedModule>();
  /** Of those: which may be seen unfinished, because the one who asks is what they wait for. */
  #partial: ReadonlySet<string> = NONE;
  /** Packages that only `import()` can load, once loaded. */
  readonly #imported = new Map<string, object>();
  /** Set while a reload is tried. */
  #reloading: Reloading | undefined;
  /** Evaluated since the outermost load began; a failure takes those with it that saw half of a cycle. */
  readonly #session = new Set<string>();
  #depth = 0;
  #evaluations = 0;
  #evaluating: string | undefined;

  constructor(options: ProjectRunnerOptions) {
    super({ root: options.root, fetchModule: async (id) => this.#fetch(id, undefined) });
    this.#options = options;
    this.#origin = createCommonJsModule(`${options.root}/package.json`);
    this.#resolution = new ModuleResolution({
      root: options.root,
      channel: options.channel,
      has: (id) => this.moduleCache.has(id) || this.#supplied.has(id),
      moduleOf: (id) => this.#nodeModuleOf(id),
    });
  }

  /** Modules evaluated since the process started. */
  get evaluations(): number {
    return this.#evaluations;
  }

  isEvaluated(id: string): boolean {
    return this.moduleCache.has(id);
  }

  /** The module whose top level runs at this moment. */
  get evaluating(): string | undefined {
    return this.#evaluating;
  }

  exportsOf(id: string): Record<string, unknown> | undefined {
    return this.#moduleOf(id)?.node.exports;
  }

  /** Exports of the version that serves while a reload is tried. */
  exportsBefore(id: string): Record<string, unknown> | undefined {
    const { asides } = this.#reloading ?? {};
    return asides?.has(id) ? asides.get(id)?.node.exports : this.exportsOf(id);
  }

  codeOf(id: string): string | undefined {
    return (this.#awaited.get(id)?.module ?? this.#moduleOf(id))?.code;
  }

  /** What `require()` of a project file gives, but waits for top-level await. */
  async importFile(file: string): Promise<object> {
    await this.#import({ id: file }, undefined);
    return this.requireFile(file) as object;
  }

  /**
   * Evaluates a file without giving way to anything else.
   * @returns how to wait, where something has to be awaited before it can be tried again.
   */
  evaluateNow(file: string): (() => Promise<void>) | undefined {
    try {
      this.#evaluated(file, undefined);
      return undefined;
    } catch (error) {
      if (error instanceof NeedsAwait) {
        return () => Promise.resolve(error.settle());
      }
      throw error;
    }
  }

  /** What `require()` of a project file gives. */
  requireFile(file: string): unknown {
    try {
      return this.#evaluated(file, undefined).node.exports;
    } catch (error) {
      throw asRequireError(error, file);
    }
  }

  /** vite-node's way in (`executeFile`, `executeId`); its types leave it out, so no `override`. */
  async cachedRequest(_id: string, fsPath: string): Promise<object> {
    const target = this.#resolution.resolve(fsPath, `${this.root}/package.json`);
    return this.#import(target, undefined);
  }

  /** Whether evaluating the module, of which the code is here, only declares. */
  isInert(id: string): boolean {
    const { isInert } = (this.#moduleOf(id) ?? this.#supplied.get(id) ?? {}) as {
      isInert?: boolean;
    };
    return isInert ?? false;
  }

  /** Forgets the modules, but keeps them aside until `commit` or `rollback`. */
  begin(reload: ModuleReload): void {
    const asides = new Map<string, RunnerModule | undefined>();
    this.#reloading = {
      ...reload,
      asides,
      suppliedBefore: new Map(this.#supplied),
      kept: new Set(),
    };
    for (const id of reload.invalidated) {
      const module = this.#moduleOf(id);
      if (module) {
        this.#supplied.delete(id);
      }
      asides.set(id, module);
      if (module) {
        this.#drop(id, module);
      }
      if (reload.deleted.has(id)) {
        this.#supplied.delete(id);
      }
    }
    for (const id of Object.keys(reload.fresh)) {
      this.#remember(id);
    }
    this.#supply(reload.fresh);
  }

  /** @returns ids of the modules that were evaluated since `begin` */
  commit(): Set<string> {
    const asides = this.#reloading?.asides ?? new Map<string, undefined>();
    this.#reloading = undefined;
    for (const module of asides.values()) {
      // Children keep an old version as their `parent`; through its children it would keep all before it.
      module?.node.children.splice(0);
    }
    return new Set([...asides.keys()].filter((id) => this.moduleCache.has(id)));
  }

  /** Drops modules that nothing imports any more. */
  prune(ids: string[]): void {
    for (const id of ids) {
      this.moduleCache.deleteByModuleId(id);
      this.#supplied.delete(id);
    }
  }

  rollback(): void {
    const { asides, suppliedBefore } = this.#reloading ?? {};
    for (const [id, module] of asides ?? []) {
      if (module) {
        this.moduleCache.setByModuleId(id, module);
      } else {
        this.moduleCache.deleteByModuleId(id);
      }
    }
    // Also what was fetched meanwhile: by the next try it may be another.
    this.#supplied.clear();
    for (const [id, fetched] of suppliedBefore ?? []) {
      this.#supplied.set(id, fetched);
    }
    this.#reloading = undefined;
  }

  /** Waits for what has to be awaited. `owner`: the module with top-level await on whose behalf it is. */
  async #import(target: Target, importer: string | undefined, owner?: string): Promise<object> {
    const partial = new Set<string>();
    for (;;) {
      const before = this.#partial;
      this.#partial = partial;
      let needed: NeedsAwait;
      try {
        return target.external === undefined
          ? toNamespace(this.#evaluated(target.id, importer).node.exports)
          : toNamespace(this.#external(target.external, importer));
      } catch (error) {
        if (!(error instanceof NeedsAwait)) {
          throw error;
        }
        needed = error;
      } finally {
        this.#partial = before;
      }
      const waiting = owner === undefined ? undefined : this.#awaited.get(owner);
      if (waiting && this.#isWaitingFor(needed.what, owner)) {
        partial.add(needed.what);
        continue;
      }
      if (waiting) {
        waiting.waitsFor = needed.what;
      }
      await needed.settle();
      delete waiting?.waitsFor;
    }
  }

  /** Whether the module cannot finish before the owner has, because both are in a cycle. */
  #isWaitingFor(id: string, owner: string | undefined): boolean {
    for (let next: string | undefined = id; next; next = this.#awaited.get(next)?.waitsFor) {
      if (next === owner) {
        return true;
      }
    }
    return false;
  }

  #evaluated(id: string, importer: string | undefined): RunnerModule {
    const awaited = this.#awaited.get(id);
    if (awaited) {
      if (this.#partial.has(id)) {
        return awaited.module;
      }
      throw new NeedsAwait(id, () => awaited.finished);
    }
    const known = this.#moduleOf(id);
    if (known) {
      // In a cycle its exports are still being filled, as in CommonJS.
      return known;
    }
    const kept = this.#keepUnaffected(id);
    if (kept) {
      return kept;
    }
    const fetched = this.#fetch(id, importer);
    const module = this.#createModule(id, importer);
    this.#remember(id);
    this.moduleCache.setByModuleId(id, module);
    this.#session.add(id);
    this.#depth++;
    try {
      if (fetched.externalize === undefined) {
        module.isInert = fetched.isInert;
        module.constants = fetched.constants ?? [];
        this.#evaluate(id, fetched.code, module);
      } else {
        module.node.exports = this.#external(fetched.externalize, importer);
      }
      this.#supplied.delete(id);
      module.evaluated = true;
      return module;
    } catch (error) {
      this.#fail(id, error);
      throw error;
    } finally {
      this.#depth--;
      this.#endSession();
    }
  }

  /** Puts a module back that has its old code, and has imported nothing that turned out different. */
  #keepUnaffected(id: string): RunnerModule | undefined {
    const reloading = this.#reloading;
    const module = reloading?.asides.get(id);
    if (
      !reloading ||
      !module ||
      reloading.isForced ||
      id in reloading.fresh ||
      reloading.deleted.has(id) ||
      !this.#isUnaffected(id, module, reloading)
    ) {
      return undefined;
    }
    reloading.asides.delete(id);
    reloading.kept.add(id);
    this.#supplied.delete(id);
    this.moduleCache.setByModuleId(id, module);
    reloading.onKept(id);
    return module;
  }

  /**
   * Compared is what the module has imported by name, which tells nothing unless it is primitive and
   * constant: anything else may hold on to code, or change later in the new version alone.
   */
  #isUnaffected(id: string, module: RunnerModule, reloading: Reloading): boolean {
    const { asides, kept } = reloading;
    const imports = [...module.imports];
    // Without any that is invalidated, the reason is one that only the host sees.
    const isKnown = imports.some((imported) => asides.has(imported) || kept.has(imported));
    if (!isKnown || this.#isInCycle(id)) {
      return false;
    }
    return imports.every((imported) => {
      if (!asides.has(imported)) {
        return true;
      }
      const before = asides.get(imported);
      const names = module.opaqueImports.has(imported)
        ? undefined
        : importedNames(module.code ?? '', imported, this.root);
      if (!before || !names || reloading.deleted.has(imported)) {
        return false;
      }
      const mayBeKept = !(imported in reloading.fresh);
      if (!mayBeKept && !names.every((name) => before.constants.includes(name))) {
        return false;
      }
      const after = this.#evaluated(imported, id);
      return after === before || names.every((name) => isSameConstant(before, after, name));
    });
  }

  #isInCycle(id: string): boolean {
    const reloading = this.#reloading;
    if (!reloading) {
      return false;
    }
    const { asides } = reloading;
    reloading.inCycles ??= modulesInCycles(
      asides.keys(),
      (other) => asides.get(other)?.imports ?? [],
    );
    return reloading.inCycles.has(id);
  }

  #evaluate(id: string, code: string, module: RunnerModule): void {
    const run = compile(id, code, 'sync');
    if (run === 'top-level-await') {
      throw new NeedsAwait(id, () => this.#evaluateAwaited(id, code, module));
    }
    const scope = this.#createScope(id, code, module);
    this.#asEvaluating(id, () =>
      scope.run(run, (specifier) => this.#request(specifier, id, module)),
    );
    this.#evaluations++;
    scope.finish();
  }

  #evaluateAwaited(id: string, code: string, module: RunnerModule): Promise<void> {
    const already = this.#awaited.get(id);
    if (already) {
      return already.finished;
    }
    const run = compile(id, code, 'async');
    if (run === 'top-level-await') {
      throw new Error(`Expected \`${id}\` to compile as an async function; this is our bug.`);
    }
    const scope = this.#createScope(id, code, module);
    const request = (specifier: string) => {
      const target = this.#resolution.resolve(specifier, id);
      this.#noteImport(target, specifier, id, module);
      return this.#import(target, id, id);
    };
    // Known as awaited before its code runs, which may come back to it in a cycle.
    const finished = Promise.resolve().then(async () => {
      try {
        await scope.run(run, request);
        this.#evaluations++;
        scope.finish();
        this.#remember(id);
        module.evaluated = true;
        this.moduleCache.setByModuleId(id, module);
        this.#supplied.delete(id);
      } catch (error) {
        this.#fail(id, error);
        throw error;
      } finally {
        this.#awaited.delete(id);
        this.#endSession();
      }
    });
    this.#awaited.set(id, { module, finished });
    return finished;
  }

  #createModule(id: string, importer: string | undefined): RunnerModule {
    const parent = importer === undefined ? this.#origin : this.#nodeModuleOf(importer);
    const file = fileOfId(id);
    const node = createCommonJsModule(isAbsoluteFile(file) ? file : this.#origin.filename, parent);
    return {
      imports: new Set(),
      opaqueImports: new Set(),
      importers: new Set(),
      constants: [],
      node,
    };
  }

  #createScope(id: string, code: string, module: RunnerModule): ModuleScope {
    module.code = code;
    const require = createProjectRequire({
      module: module.node,
      load: (specifier) => this.#require(specifier, id, module),
      evaluated: {
        get: (file) => this.#moduleOf(file)?.node,
        delete: (file) => {
          const cached = this.#moduleOf(file);
          if (cached) {
            this.#drop(file, cached);
          }
        },
      },
    });
    module.node.require = require;
    return createScope({
      id,
      code,
      module: module.node,
      meta: this.#createMeta(id, module.node.filename),
      require,
      importDynamically: (specifier) => this.#importDynamically(specifier, id),
    });
  }

  #createMeta(id: string, filename: string): object {
    const meta = {
      url: pathToFileURL(filename).href,
      filename,
      dirname: this.#nodeModuleOf(id).path,
      resolve: (specifier: string) => {
        const file = this.#resolution.resolveRequired(specifier, id);
        return isBuiltin(file) ? file : pathToFileURL(toNative(file)).href;
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

  #require(specifier: string, importer: string, module: RunnerModule): unknown {
    const file = this.#resolution.resolveRequired(specifier, importer);
    if (!isRunnerFile(this.root, file)) {
      return this.#asEvaluating(undefined, () => requireNatively(file, module.node));
    }
    this.#options.onEdge(importer, file);
    module.imports.add(file);
    module.opaqueImports.add(file);
    try {
      const required = this.#evaluated(file, importer);
      addChild(module.node, required.node);
      return required.node.exports;
    } catch (error) {
      throw asRequireError(error, specifier);
    }
  }

  async #importDynamically(specifier: string, importer: string): Promise<object> {
    const target = this.#resolution.resolve(specifier, importer);
    if (target.id !== undefined) {
      this.#options.onEdge(importer, target.id);
      const module = this.#moduleOf(importer);
      module?.imports.add(target.id);
      module?.opaqueImports.add(target.id);
      // The module that asks runs on first, as with Node's own `import()`.
      await Promise.resolve();
      return this.#import(target, importer, this.#awaited.has(importer) ? importer : undefined);
    }
    this.#reportNative(target.external, importer);
    // Also Node's own interop, since that is what stock gives.
    return importNatively(target.external, this.#nodeModuleOf(importer).filename);
  }

  #reportNative(specifier: string, importer: string): void {
    const file = this.#resolution.tryNatively(specifier, importer);
    if (file !== undefined && isAbsoluteFile(file) && !file.includes('/node_modules/')) {
      this.#options.onNative?.(file);
    }
  }

  #request(specifier: string, importer: string, module: RunnerModule): object {
    const target = this.#resolution.resolve(specifier, importer);
    if (target.external !== undefined) {
      return toNamespace(this.#external(target.external, importer));
    }
    this.#noteImport(target, specifier, importer, module);
    const imported = this.#evaluated(target.id, importer);
    addChild(module.node, imported.node);
    return toNamespace(imported.node.exports);
  }

  #noteImport(target: Target, specifier: string, importer: string, module: RunnerModule): void {
    if (target.id === undefined) {
      return;
    }
    module.imports.add(target.id);
    if (!specifier.startsWith('/')) {
      // Vite has left the package to Node, so its graph lacks the source that a workspace link leads to.
      this.#options.onEdge(importer, target.id);
    }
  }

  /**
   * `require` first: it is what Medusa itself uses, so a package with two formats stays one instance.
   * `import()` only where a package cannot be required.
   */
  #external(specifier: string, importer: string | undefined): unknown {
    const from = importer === undefined ? this.#origin : this.#nodeModuleOf(importer);
    const key = `${from.path}\0${specifier}`;
    const imported = this.#imported.get(key);
    if (imported) {
      return imported;
    }
    try {
      return this.#asEvaluating(undefined, () => requireNatively(specifier, from));
    } catch (error) {
      if (!needsImport(error)) {
        throw error;
      }
      throw new NeedsAwait(specifier, async () => {
        this.#imported.set(key, await importNatively(specifier, from.filename));
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

  #moduleOf(id: string): RunnerModule | undefined {
    return this.moduleCache.has(id)
      ? (this.moduleCache.getByModuleId(id) as RunnerModule)
      : undefined;
  }

  #nodeModuleOf(id: string): NodeJS.Module {
    const module =
      this.#moduleOf(id) ?? this.#awaited.get(id)?.module ?? this.#reloading?.asides.get(id);
    return module?.node ?? this.#origin;
  }

  /** What a package registers while it is loaded is not the module's that happened to load it first. */
  #asEvaluating<T>(id: string | undefined, run: () => T): T {
    const outer = this.#evaluating;
    this.#evaluating = id;
    try {
      return run();
    } finally {
      this.#evaluating = outer;
    }
  }

  #remember(id: string): void {
    const { asides } = this.#reloading ?? {};
    if (asides && !asides.has(id)) {
      asides.set(id, undefined);
    }
  }

  /** The next import evaluates the module again, from the same code. */
  #drop(id: string, module: RunnerModule): void {
    this.moduleCache.deleteByModuleId(id);
    if (module.code !== undefined) {
      const { code, isInert, constants } = module;
      this.#supplied.set(id, { code, constants, ...(isInert && { isInert }) });
    }
  }

  #fail(id: string, error: unknown): void {
    if (!(error instanceof NeedsAwait)) {
      // Written now, while the code is known to which its positions belong.
      void (error instanceof Error && error.stack);
      this.#supplied.delete(id);
    }
    this.#forget(id);
  }

  #forget(id: string): void {
    this.moduleCache.deleteByModuleId(id);
    this.#session.delete(id);
    for (const other of this.#session) {
      if (this.#moduleOf(other)?.imports.has(id)) {
        this.#forget(other);
      }
    }
  }

  #endSession(): void {
    if (this.#depth === 0 && this.#awaited.size === 0) {
      this.#session.clear();
    }
  }
}

function isSameConstant(before: RunnerModule, after: RunnerModule, name: string): boolean {
  const value: unknown = before.node.exports[name];
  return (
    // The exports of JSON are its data: its `default` is not among them.
    Object.hasOwn(before.node.exports, name) &&
    Object(value) !== value &&
    before.constants.includes(name) &&
    after.constants.includes(name) &&
    Object.is(value, after.node.exports[name])
  );
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
