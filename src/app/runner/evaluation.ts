import type { FetchedModule } from '../../protocol/messages.ts';
import { fileOfId, isAbsoluteFile } from '../../shared/paths.ts';
import { compile } from './module-code.ts';
import type { Target } from './module-resolution.ts';
import type { ModuleScope } from './module-scope.ts';
import type { ModuleStore, RunnerModule } from './module-store.ts';
import { createCommonJsModule } from './native/common-js.ts';
import { toNamespace } from './native/interop.ts';
import { Packages } from './native/packages.ts';
import { AwaitedModules, NeedsAwait } from './top-level-await.ts';

export interface EvaluationOptions {
  /** Stands for Medusa, which asks for the first module. */
  origin: NodeJS.Module;
  modules: ModuleStore;
  fetch(id: string, importer: string | undefined): FetchedModule;
  requests: ModuleRequests;
  /** The reload that is being tried, if any. */
  reload(): TriedReload | undefined;
}

/** Answers what a module asks for while its code runs. */
export interface ModuleRequests {
  createScope(id: string, code: string, module: RunnerModule): ModuleScope;
  /** A static import. */
  import(specifier: string, importer: string, module: RunnerModule): object;
  /** A static import of a module with top-level await. */
  importAwaited(specifier: string, importer: string, module: RunnerModule): Promise<object>;
}

interface TriedReload {
  /** The version that serves until the commit; undefined if it is the one that is being tried. */
  before(id: string): { module: RunnerModule | undefined } | undefined;
  /** Has the module taken back by a rollback. */
  remember(id: string): void;
  /** Puts a module back for which nothing has changed. */
  keepUnaffected(id: string): RunnerModule | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Evaluates modules synchronously, in the order in which Node runs CommonJS.
 *
 * Only a module with top-level await (or a package that has it) makes an `import()` wait: the evaluation
 * stops before its body runs, the awaited module is evaluated first, and the evaluation starts again.
 */
export class Evaluation {
  readonly #options: EvaluationOptions;
  readonly #packages = new Packages();
  readonly #awaited = new AwaitedModules();
  /** Awaited modules that may be seen unfinished, because they wait for the module that asks. */
  #partial: ReadonlySet<string> = NONE;
  /** Evaluated since the outermost load began; a failure takes those with it that saw half of a cycle. */
  readonly #session = new Set<string>();
  #depth = 0;
  #count = 0;
  #running: string | undefined;

  constructor(options: EvaluationOptions) {
    this.#options = options;
  }

  /** Evaluations since the process started. */
  get count(): number {
    return this.#count;
  }

  /** The module whose top level runs at this moment. */
  get running(): string | undefined {
    return this.#running;
  }

  /** A module with top-level await, while it runs. */
  awaited(id: string): RunnerModule | undefined {
    return this.#awaited.get(id)?.module;
  }

  nodeModuleOf(id: string): NodeJS.Module {
    const { modules, reload, origin } = this.#options;
    const module = modules.get(id) ?? this.awaited(id) ?? reload()?.before(id)?.module;
    return module?.node ?? origin;
  }

  /** Waits for what has to be awaited. `owner`: the module with top-level await that asks. */
  async import(target: Target, importer: string | undefined, owner?: string): Promise<object> {
    const partial = new Set<string>();
    for (;;) {
      const before = this.#partial;
      this.#partial = partial;
      let needed: NeedsAwait;
      try {
        return target.external === undefined
          ? toNamespace(this.evaluated(target.id, importer).node.exports)
          : toNamespace(this.external(target.external, importer));
      } catch (error) {
        if (!(error instanceof NeedsAwait)) {
          throw error;
        }
        needed = error;
      } finally {
        this.#partial = before;
      }
      const waiting = owner === undefined ? undefined : this.#awaited.get(owner);
      if (owner !== undefined && waiting && this.#awaited.isWaitingFor(needed.what, owner)) {
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

  /**
   * The module, evaluated unless it already is. In a cycle its exports are still being filled, as in CommonJS.
   * @throws NeedsAwait if something has to be awaited first
   */
  evaluated(id: string, importer: string | undefined): RunnerModule {
    const { modules, reload } = this.#options;
    const awaited = this.#awaited.get(id);
    if (awaited) {
      if (this.#partial.has(id)) {
        return awaited.module;
      }
      throw new NeedsAwait(id, () => awaited.finished);
    }
    // In a cycle that is new, the question whether a module can be kept may itself evaluate the module.
    return (
      modules.get(id) ??
      reload()?.keepUnaffected(id) ??
      modules.get(id) ??
      this.#evaluate(id, importer)
    );
  }

  /** What a package, or a file that is Node's to load, exports. @throws NeedsAwait */
  external(specifier: string, importer: string | undefined): unknown {
    const from = importer === undefined ? this.#options.origin : this.nodeModuleOf(importer);
    return this.outside(() => this.#packages.load(specifier, from));
  }

  /** What a package registers while it loads does not belong to the module that happens to load it first. */
  outside<T>(run: () => T): T {
    return this.#runAs(undefined, run);
  }

  #evaluate(id: string, importer: string | undefined): RunnerModule {
    const { modules, fetch, reload } = this.#options;
    const fetched = fetch(id, importer);
    const module = this.#createModule(id, importer);
    reload()?.remember(id);
    modules.set(id, module);
    this.#session.add(id);
    this.#depth++;
    try {
      if (fetched.externalize === undefined) {
        module.isInert = fetched.isInert;
        module.constants = fetched.constants ?? [];
        this.#run(id, fetched.code, module);
      } else {
        module.node.exports = this.external(fetched.externalize, importer);
      }
      modules.deleteCode(id);
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

  #run(id: string, code: string, module: RunnerModule): void {
    const { requests } = this.#options;
    const run = compile(id, code, 'sync');
    if (run === 'top-level-await') {
      throw new NeedsAwait(id, () => this.#runAwaited(id, code, module));
    }
    const scope = requests.createScope(id, code, module);
    this.#runAs(id, () => scope.run(run, (specifier) => requests.import(specifier, id, module)));
    this.#count++;
    scope.finish();
  }

  #runAwaited(id: string, code: string, module: RunnerModule): Promise<void> {
    const already = this.#awaited.get(id);
    if (already) {
      return already.finished;
    }
    const { modules, requests, reload } = this.#options;
    const run = compile(id, code, 'async');
    if (run === 'top-level-await') {
      throw new Error(`Expected \`${id}\` to compile as an async function; this is our bug.`);
    }
    const scope = requests.createScope(id, code, module);
    // Known as awaited before its code runs, which may come back to it in a cycle.
    const finished = Promise.resolve().then(async () => {
      try {
        await scope.run(run, (specifier) => requests.importAwaited(specifier, id, module));
        this.#count++;
        scope.finish();
        reload()?.remember(id);
        module.evaluated = true;
        module.isAwaited = true;
        modules.set(id, module);
        modules.deleteCode(id);
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
    const { origin } = this.#options;
    const parent = importer === undefined ? origin : this.nodeModuleOf(importer);
    const file = fileOfId(id);
    return {
      imports: new Set(),
      opaqueImports: new Set(),
      importers: new Set(),
      constants: [],
      node: createCommonJsModule(isAbsoluteFile(file) ? file : origin.filename, parent),
    };
  }

  #runAs<T>(id: string | undefined, run: () => T): T {
    const outer = this.#running;
    this.#running = id;
    try {
      return run();
    } finally {
      this.#running = outer;
    }
  }

  #fail(id: string, error: unknown): void {
    if (!(error instanceof NeedsAwait)) {
      // Node writes the stack when it is first read: now, while the code that its positions belong to is known.
      void (error instanceof Error && error.stack);
      this.#options.modules.deleteCode(id);
    }
    this.#forget(id);
  }

  #forget(id: string): void {
    const { modules } = this.#options;
    modules.delete(id);
    this.#session.delete(id);
    for (const other of this.#session) {
      if (modules.get(other)?.imports.has(id)) {
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
