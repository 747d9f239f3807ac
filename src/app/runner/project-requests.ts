import { isAbsoluteFile, isRunnerFile } from '../../shared/paths.ts';
import type { Evaluation, ModuleRequests } from './evaluation.ts';
import { createImportMeta } from './import-meta.ts';
import type { ModuleResolution, Target } from './module-resolution.ts';
import { createScope, type ModuleScope } from './module-scope.ts';
import type { ModuleStore, RunnerModule } from './module-store.ts';
import { addChild, createProjectRequire, requireNatively } from './native/common-js.ts';
import { importNatively, toNamespace } from './native/interop.ts';
import { asRequireError } from './top-level-await.ts';

export interface ProjectRequestsOptions {
  root: string;
  modules: ModuleStore;
  resolution: ModuleResolution;
  evaluation(): Evaluation;
  onEdge(importer: string, id: string): void;
  onNative?(file: string): void;
  createHot?(id: string): unknown;
}

/** Answers `import`, `import()`, `require()` and `import.meta` of the project's modules. */
export class ProjectRequests implements ModuleRequests {
  readonly #options: ProjectRequestsOptions;

  constructor(options: ProjectRequestsOptions) {
    this.#options = options;
  }

  createScope(id: string, code: string, module: RunnerModule): ModuleScope {
    const { resolution, createHot } = this.#options;
    module.code = code;
    const require = this.#createRequire(id, module);
    module.node.require = require;
    return createScope({
      id,
      code,
      module: module.node,
      meta: createImportMeta({
        module: module.node,
        dirname: this.#evaluation.nodeModuleOf(id).path,
        resolve: (specifier) => resolution.resolveRequired(specifier, id),
        createHot: () => createHot?.(id),
      }),
      require,
      importDynamically: (specifier) => this.#importDynamically(specifier, id),
    });
  }

  import(specifier: string, importer: string, module: RunnerModule): object {
    const target = this.#options.resolution.resolve(specifier, importer);
    if (target.external !== undefined) {
      return toNamespace(this.#evaluation.external(target.external, importer));
    }
    this.#noteImport(target, { specifier, importer, module });
    const imported = this.#evaluation.evaluated(target.id, importer);
    addChild(module.node, imported.node);
    return toNamespace(imported.node.exports);
  }

  importAwaited(specifier: string, importer: string, module: RunnerModule): Promise<object> {
    const target = this.#options.resolution.resolve(specifier, importer);
    this.#noteImport(target, { specifier, importer, module });
    return this.#evaluation.import(target, importer, importer);
  }

  async #importDynamically(specifier: string, importer: string): Promise<object> {
    const { resolution, modules, onEdge } = this.#options;
    const target = resolution.resolve(specifier, importer);
    if (target.id !== undefined) {
      onEdge(importer, target.id);
      const module = modules.get(importer);
      module?.imports.add(target.id);
      module?.opaqueImports.add(target.id);
      // The module that asks runs on first, as with Node's own `import()`.
      await Promise.resolve();
      const owner = this.#evaluation.awaited(importer) ? importer : undefined;
      return this.#evaluation.import(target, importer, owner);
    }
    this.#reportNative(target.external, importer);
    // With Node's own interop, since that is what stock gives.
    return importNatively(target.external, this.#evaluation.nodeModuleOf(importer).filename);
  }

  #createRequire(id: string, module: RunnerModule): NodeJS.Require {
    const { modules } = this.#options;
    return createProjectRequire({
      module: module.node,
      load: (specifier) => this.#require(specifier, id, module),
      evaluated: {
        get: (file) => modules.get(file)?.node,
        delete: (file) => {
          const cached = modules.get(file);
          if (cached) {
            modules.reset(file, cached);
          }
        },
      },
    });
  }

  #require(specifier: string, importer: string, module: RunnerModule): unknown {
    const { root, resolution } = this.#options;
    const file = resolution.resolveRequired(specifier, importer);
    if (!isRunnerFile(root, file)) {
      return this.#evaluation.outside(() => requireNatively(file, module.node));
    }
    this.#options.onEdge(importer, file);
    module.imports.add(file);
    module.opaqueImports.add(file);
    try {
      const required = this.#evaluation.evaluated(file, importer);
      addChild(module.node, required.node);
      return required.node.exports;
    } catch (error) {
      throw asRequireError(error, specifier);
    }
  }

  #noteImport(
    target: Target,
    { specifier, importer, module }: { specifier: string; importer: string; module: RunnerModule },
  ): void {
    if (target.id === undefined) {
      return;
    }
    module.imports.add(target.id);
    if (!specifier.startsWith('/')) {
      // Vite has left the package to Node, so its graph lacks the source that a workspace link leads to.
      this.#options.onEdge(importer, target.id);
    }
  }

  #reportNative(specifier: string, importer: string): void {
    const file = this.#options.resolution.tryNatively(specifier, importer);
    if (file !== undefined && isAbsoluteFile(file) && !file.includes('/node_modules/')) {
      this.#options.onNative?.(file);
    }
  }

  get #evaluation(): Evaluation {
    return this.#options.evaluation();
  }
}
