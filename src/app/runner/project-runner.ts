import { isBuiltin } from 'node:module';
import { pathToFileURL } from 'node:url';
import { ViteNodeRunner } from 'vite-node/client';
import type { ChannelReply, ChannelRequest } from '../../protocol/channel.ts';
import type { FetchedModule } from '../../protocol/messages.ts';
import { fileOfId, isAbsoluteFile, isRunnerFile, toNative } from '../../shared/paths.ts';
import { deserializeError } from '../../shared/serialized-error.ts';
import { type ModuleChanges, ModuleReload } from '../reload/module-reload.ts';
import {
  addChild,
  createCommonJsModule,
  createProjectRequire,
  requireNatively,
} from './common-js.ts';
import { importNatively, needsImport, toNamespace } from './interop.ts';
import { compile } from './module-code.ts';
import { ModuleResolution, type Target } from './module-resolution.ts';
import { createScope, type ModuleScope } from './module-scope.ts';
import { ModuleStore, type RunnerModule } from './module-store.ts';
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
  readonly #modules: ModuleStore;
  /** Modules with top-level await, while they run. */
  readonly #awaited = new Map<string, AwaitedModule>();
  /** Of those: which may be seen unfinished, because the one who asks is what they wait for. */
  #partial: ReadonlySet<string> = NONE;
  /** Packages that only `import()` can load, once loaded. */
  readonly #imported = new Map<string, object>();
  /** Set while a reload is tried. */
  #reload: ModuleReload | undefined;
  /** Evaluated since the outermost load began; a failure takes those with it that saw half of a cycle. */
  readonly #session = new Set<string>();
  #depth = 0;
  #evaluations = 0;
  #evaluating: string | undefined;

  constructor(options: ProjectRunnerOptions) {
    super({ root: options.root, fetchModule: async (id) => this.#fetch(id, undefined) });
    this.#options = options;
    this.#modules = new ModuleStore(this.moduleCache);
    this.#origin = createCommonJsModule(`${options.root}/package.json`);
    this.#resolution = new ModuleResolution({
      root: options.root,
      channel: options.channel,
      has: (id) => this.#modules.has(id) || this.#modules.hasCode(id),
      moduleOf: (id) => this.#nodeModuleOf(id),
    });
  }

  /** Modules evaluated since the process started. */
  get evaluations(): number {
    return this.#evaluations;
  }

  isEvaluated(id: string): boolean {
    return this.#modules.has(id);
  }

  /** The module whose top level runs at this moment. */
  get evaluating(): string | undefined {
    return this.#evaluating;
  }

  exportsOf(id: string): Record<string, unknown> | undefined {
    return this.#modules.get(id)?.node.exports;
  }

  /** Exports of the version that serves while a reload is tried. */
  exportsBefore(id: string): Record<string, unknown> | undefined {
    const before = this.#reload?.before(id);
    return before ? before.module?.node.exports : this.exportsOf(id);
  }

  codeOf(id: string): string | undefined {
    return (this.#awaited.get(id)?.module ?? this.#modules.get(id))?.code;
  }

  /** What `require()` of a project file gives, but waits for top-level await. */
  async importFile(file: string): Promise<object> {
    await this.#import({ id: file }, undefined);
    return this.requireFile(file) as object;
  }

  /**
   * Evaluates a file without giving way to anything else.
   * @returns what to wait for, where something has to be awaited before it can be tried again.
   */
  evaluateNow(file: string): NeedsAwait | undefined {
    try {
      this.#evaluated(file, undefined);
      return undefined;
    } catch (error) {
      if (error instanceof NeedsAwait) {
        return error;
      }
      throw error;
    }
  }

  /** Whether the module that was evaluated last has a top-level await. */
  isAwaited(id: string): boolean {
    return this.#modules.get(id)?.isAwaited === true;
  }

  /** What `require()` of a project file gives. */
  requireFile(file: string): unknown {
    try {
      return this.#evaluated(file, undefined).node.exports;
    } catch (error) {
      throw asRequireError(error, file);
    }
  }

  /** vite-node's launcher (`executeFile`, `executeId`); its types leave it out, so no `override`. */
  async cachedRequest(_id: string, fsPath: string): Promise<object> {
    const target = this.#resolution.resolve(fsPath, `${this.root}/package.json`);
    return this.#import(target, undefined);
  }

  /** Whether evaluating the module, of which the code is here, only declares. */
  isInert(id: string): boolean {
    const module = this.#modules.get(id) ?? this.#modules.codeOf(id);
    return module !== undefined && 'isInert' in module && module.isInert === true;
  }

  /** Forgets the modules, but keeps them aside until `commit` or `rollback`. */
  begin(changes: ModuleChanges): void {
    this.#reload = new ModuleReload({
      root: this.root,
      modules: this.#modules,
      changes,
      evaluate: (id, importer) => this.#evaluated(id, importer),
    });
  }

  /** @returns ids of the modules that were evaluated since `begin` */
  commit(): Set<string> {
    const evaluated = this.#reload?.commit() ?? new Set<string>();
    this.#reload = undefined;
    return evaluated;
  }

  rollback(): void {
    this.#reload?.rollback();
    this.#reload = undefined;
  }

  /** Drops modules that nothing imports any more. */
  prune(ids: string[]): void {
    for (const id of ids) {
      this.#modules.delete(id);
      this.#modules.deleteCode(id);
    }
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
    const known = this.#modules.get(id);
    if (known) {
      // In a cycle its exports are still being filled, as in CommonJS.
      return known;
    }
    // In a cycle that is new, it may be evaluated by the very question whether it has to be.
    const settled = this.#reload?.keepUnaffected(id) ?? this.#modules.get(id);
    if (settled) {
      return settled;
    }
    const fetched = this.#fetch(id, importer);
    const module = this.#createModule(id, importer);
    this.#reload?.remember(id);
    this.#modules.set(id, module);
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
      this.#modules.deleteCode(id);
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
        this.#reload?.remember(id);
        module.evaluated = true;
        module.isAwaited = true;
        this.#modules.set(id, module);
        this.#modules.deleteCode(id);
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
        get: (file) => this.#modules.get(file)?.node,
        delete: (file) => {
          const cached = this.#modules.get(file);
          if (cached) {
            this.#modules.reset(file, cached);
          }
        },
      },
    });
    module.node.require = require;
    return createScope({
      id,
      code,
      module: module.node,
      meta: this.#createMeta(id, module.node),
      require,
      importDynamically: (specifier) => this.#importDynamically(specifier, id),
    });
  }

  #createMeta(id: string, module: NodeJS.Module): object {
    const { filename } = module;
    let url: string | undefined;
    const meta = {
      get url() {
        // Few modules ask, and of a thousand that are evaluated it would be a twentieth of the time.
        url ??= pathToFileURL(filename).href;
        return url;
      },
      filename,
      dirname: this.#nodeModuleOf(id).path,
      resolve: (specifier: string) => {
        const file = this.#resolution.resolveRequired(specifier, id);
        return isBuiltin(file) ? file : pathToFileURL(toNative(file)).href;
      },
    };
    let hot: unknown;
    const property = {
      enumerable: true,
      get: () => {
        hot ??= this.#options.createHot?.(id);
        return hot;
      },
    };
    Object.defineProperty(meta, 'hot', property);
    // What compiles to CommonJS may not say `import.meta`.
    Object.defineProperty(module, 'hot', property);
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
      const module = this.#modules.get(importer);
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
    const supplied = this.#modules.codeOf(id);
    if (supplied) {
      return supplied;
    }
    const reply = this.#options.channel.request({ type: 'fetch', id, importer });
    if (reply.type === 'error') {
      throw deserializeError(reply.error);
    }
    if (reply.type === 'modules') {
      this.#modules.supply(reply.modules);
    }
    const module = this.#modules.codeOf(id);
    if (!module) {
      throw new Error(`Expected the host to send \`${id}\`; this is our bug.`);
    }
    return module;
  }

  #nodeModuleOf(id: string): NodeJS.Module {
    const module =
      this.#modules.get(id) ?? this.#awaited.get(id)?.module ?? this.#reload?.before(id)?.module;
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

  #fail(id: string, error: unknown): void {
    if (!(error instanceof NeedsAwait)) {
      // Written now, while the code is known to which its positions belong.
      void (error instanceof Error && error.stack);
      this.#modules.deleteCode(id);
    }
    this.#forget(id);
  }

  #forget(id: string): void {
    this.#modules.delete(id);
    this.#session.delete(id);
    for (const other of this.#session) {
      if (this.#modules.get(other)?.imports.has(id)) {
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
