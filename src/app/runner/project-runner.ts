import { ViteNodeRunner } from 'vite-node/client';
import type { ChannelReply, ChannelRequest } from '../../protocol/channel.ts';
import type { FetchedModule } from '../../protocol/messages.ts';
import { deserializeError } from '../../shared/serialized-error.ts';
import { type ModuleChanges, ModuleReload } from '../reload/module-reload.ts';
import { Evaluation } from './evaluation.ts';
import { ModuleResolution } from './module-resolution.ts';
import { ModuleStore } from './module-store.ts';
import { createCommonJsModule } from './native/common-js.ts';
import { ProjectRequests } from './project-requests.ts';
import { asRequireError, NeedsAwait } from './top-level-await.ts';

export interface ProjectRunnerOptions {
  root: string;
  channel: { request(request: ChannelRequest): ChannelReply };
  /** A dependency that no static analysis sees: `require()`, or `import()` of a computed path. */
  onEdge(importer: string, id: string): void;
  /** A file outside `node_modules` that is handed to Node's own `import()`. */
  onNative?(file: string): void;
  createHot?(id: string): unknown;
}

/**
 * A ViteNodeRunner that evaluates synchronously, in the order in which Node runs CommonJS.
 *
 * Medusa's loaders import many files at once; vite-node's asynchronous evaluation then interleaves them
 * and hands out half-filled exports where two loads meet in a cycle. Evaluated in one go, a load either
 * is done or never was: `require()` of TypeScript works, and a reload can be taken back.
 */
export class ProjectRunner extends ViteNodeRunner {
  readonly #channel: ProjectRunnerOptions['channel'];
  readonly #resolution: ModuleResolution;
  readonly #modules: ModuleStore;
  readonly #evaluation: Evaluation;
  /** Set while a reload is tried. */
  #reload: ModuleReload | undefined;

  constructor({ root, channel, ...handlers }: ProjectRunnerOptions) {
    super({ root, fetchModule: async (id) => this.#fetch(id, undefined) });
    this.#channel = channel;
    const modules = new ModuleStore(this.moduleCache);
    this.#modules = modules;
    this.#resolution = new ModuleResolution({
      root,
      channel,
      has: (id) => modules.has(id) || modules.hasCode(id),
      moduleOf: (id) => this.#evaluation.nodeModuleOf(id),
    });
    const requests = new ProjectRequests({
      ...handlers,
      root,
      modules,
      resolution: this.#resolution,
      evaluation: () => this.#evaluation,
    });
    this.#evaluation = new Evaluation({
      // Packages that Medusa asks for are found from the project's root.
      origin: createCommonJsModule(`${root}/package.json`),
      modules,
      requests,
      fetch: (id, importer) => this.#fetch(id, importer),
      reload: () => this.#reload,
    });
  }

  /** Modules evaluated since the process started. */
  get evaluations(): number {
    return this.#evaluation.count;
  }

  isEvaluated(id: string): boolean {
    return this.#modules.has(id);
  }

  /** The module whose top level runs at this moment. */
  get evaluating(): string | undefined {
    return this.#evaluation.running;
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
    return (this.#evaluation.awaited(id) ?? this.#modules.get(id))?.code;
  }

  /** What `require()` of a project file gives, but waits for top-level await. */
  async importFile(file: string): Promise<object> {
    await this.#evaluation.import({ id: file }, undefined);
    return this.requireFile(file) as object;
  }

  /**
   * Evaluates a file without giving way to anything else.
   * @returns what has to be awaited before the file can be tried again, if anything
   */
  evaluateNow(file: string): NeedsAwait | undefined {
    try {
      this.#evaluation.evaluated(file, undefined);
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
      return this.#evaluation.evaluated(file, undefined).node.exports;
    } catch (error) {
      throw asRequireError(error, file);
    }
  }

  /** vite-node's launcher (`executeFile`, `executeId`); its types leave it out, so no `override`. */
  async cachedRequest(_id: string, fsPath: string): Promise<object> {
    const target = this.#resolution.resolve(fsPath, `${this.root}/package.json`);
    return this.#evaluation.import(target, undefined);
  }

  /** Whether evaluating the module only declares things; false if its code is not here. */
  isInert(id: string): boolean {
    const module = this.#modules.get(id) ?? this.#modules.codeOf(id);
    return module !== undefined && 'isInert' in module && module.isInert === true;
  }

  /** Puts the old versions aside until `commit` or `rollback`. */
  begin(changes: ModuleChanges): void {
    this.#reload = new ModuleReload({
      root: this.root,
      modules: this.#modules,
      changes,
      evaluate: (id, importer) => this.#evaluation.evaluated(id, importer),
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

  #fetch(id: string, importer: string | undefined): FetchedModule {
    const supplied = this.#modules.codeOf(id);
    if (supplied) {
      return supplied;
    }
    const reply = this.#channel.request({ type: 'fetch', id, importer });
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
}
