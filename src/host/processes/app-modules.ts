import type { Duplex } from 'node:stream';
import type { ChannelReply, ChannelRequest } from '../../protocol/channel.ts';
import type { FetchedModule, LoadedReport, ReloadFile, Retrace } from '../../protocol/messages.ts';
import type { Graph } from '../../rules/planner.ts';
import { fileOfId, isAbsoluteFile, stemOf } from '../../shared/paths.ts';
import { serializeError } from '../../shared/serialized-error.ts';
import { alignCode, withoutComments } from '../../vite/comments.ts';
import type { Transformer } from '../../vite/transformer.ts';
import { serveModulePipe } from './module-pipe.ts';

/**
 * The modules of one app process, and the imports between them. Sends the app their code; a module counts as
 * loaded from then on, before it runs.
 */
export class AppModules implements Graph {
  readonly #transformer: Transformer;
  readonly #onAccepted: (files: string[]) => void;
  /** Code that the app has, by id, without source maps. */
  readonly #loaded = new Map<string, string>();
  readonly #entries = new Set<string>();
  readonly #natives = new Set<string>();
  /** The dependencies that each module accepts by `import.meta.hot.accept`; the module itself may be among them. */
  readonly #accepts = new Map<string, Set<string>>();
  /** Imports of the code that the app has; Vite's graph may be ahead of it by a failed change. */
  readonly #imports = new Map<string, string[]>();
  readonly #importers = new Map<string, Set<string>>();
  /** Modules that the app has first loaded since the last `takeAdded`. */
  readonly #added = new Set<string>();
  /** Modules that the app has asked for since the last `takeAdded`. */
  readonly #fetched = new Set<string>();
  /** Modules that have lost an importer since the last `takeOrphans`. */
  readonly #untied = new Set<string>();
  /** Importers that only the running app knows. */
  readonly #runtimeImporters = new Map<string, Set<string>>();

  /** @param onAccepted called with the files of each set of modules that the app takes over */
  constructor(transformer: Transformer, onAccepted: (files: string[]) => void = () => {}) {
    this.#transformer = transformer;
    this.#onAccepted = onAccepted;
  }

  /** Answers the app's requests until its pipe ends. */
  serve(pipe: Duplex): void {
    serveModulePipe(pipe, (request) => this.#answer(request));
  }

  add(report: LoadedReport): void {
    for (const file of report.entries) {
      this.#entries.add(file);
    }
    for (const file of report.natives) {
      this.#natives.add(file);
    }
    for (const [id, dependencies] of report.accepts) {
      this.#accepts.set(id, new Set(dependencies));
    }
    for (const [importer, id] of report.edges) {
      const importers = this.#runtimeImporters.get(id) ?? new Set();
      this.#runtimeImporters.set(id, importers.add(importer));
    }
  }

  /** To be called when the app has taken the modules over. */
  accept(modules: Record<string, FetchedModule>): void {
    for (const [id, module] of Object.entries(modules)) {
      if (!this.#loaded.has(id)) {
        this.#added.add(id);
      }
      this.#loaded.set(id, emittedCode(module));
      this.#tie(id, this.#transformer.importsOf(id));
    }
    this.#onAccepted(Object.keys(modules).map(fileOfId));
  }

  /** Makes resources entries: the app itself refers to them, new ones too, whether a module imports them or not. */
  own(resources: ReloadFile[]): void {
    for (const { file, change } of resources) {
      if (change === 'delete') {
        this.#entries.delete(file);
      } else if (this.#loaded.has(file)) {
        this.#entries.add(file);
      }
    }
  }

  /** @returns ids of the modules that the app has first loaded since the last call */
  takeAdded(): string[] {
    const added = [...this.#added];
    this.#added.clear();
    this.#fetched.clear();
    return added;
  }

  /** Whether the app has asked for the module since the last `takeAdded`. */
  isFetched(id: string): boolean {
    return this.#fetched.has(id);
  }

  /** Forgets the modules that have lost their last importer. @returns their ids */
  takeOrphans(): string[] {
    const orphans: string[] = [];
    const candidates = [...this.#untied];
    this.#untied.clear();
    for (let id = candidates.pop(); id !== undefined; id = candidates.pop()) {
      const isUsed = this.#entries.has(id) || this.importersOf(id).length > 0;
      if (!isUsed && this.#loaded.has(id)) {
        candidates.push(...(this.#imports.get(id) ?? []));
        this.forget([id]);
        orphans.push(id);
      }
    }
    this.#untied.clear();
    return orphans;
  }

  /** To be called when the app has dropped the modules. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#loaded.delete(id);
      this.#tie(id, []);
    }
  }

  /** Whether the code differs from the app's code of the module in more than comments. */
  isChanged(id: string, module: FetchedModule): boolean {
    const [before, after] = [this.#loaded.get(id), emittedCode(module)];
    return (
      before !== after &&
      (before === undefined || withoutComments(before) !== withoutComments(after))
    );
  }

  /** Whether the code of any module is out of date. */
  async isOutdated(): Promise<boolean> {
    for (const id of this.#loaded.keys()) {
      const module = await this.#transformer.transform(id).catch(() => undefined);
      if (!module || this.isChanged(id, module)) {
        return true;
      }
    }
    return false;
  }

  /** Describes where lines are now, for modules in which only comments have changed. */
  retrace(modules: Record<string, FetchedModule>): Retrace[] {
    return Object.entries(modules).flatMap(([id, module]) => {
      const before = this.#loaded.get(id);
      const isCode = before !== undefined && module.code !== undefined;
      return isCode
        ? { file: fileOfId(id), code: module.code, kept: alignCode(before, emittedCode(module)) }
        : [];
    });
  }

  get ids(): string[] {
    return [...this.#loaded.keys()];
  }

  /** Files of the modules, which may be gone by now. */
  get files(): Set<string> {
    return new Set([...this.#loaded.keys()].map(fileOfId).filter(isAbsoluteFile));
  }

  isLoaded(id: string): boolean {
    return this.#loaded.has(id);
  }

  isEntry(file: string): boolean {
    return this.#entries.has(file);
  }

  isNative(file: string): boolean {
    return this.#natives.has(file);
  }

  accepts(id: string, dependency: string): boolean {
    return this.#accepts.get(id)?.has(dependency) ?? false;
  }

  modulesOf(file: string): string[] {
    const ids = new Set([file, ...this.#transformer.idsOf(file)]);
    return [...ids].filter((id) => this.#loaded.has(id));
  }

  importersOf(id: string): string[] {
    const importers = [
      ...(this.#importers.get(id) ?? []),
      ...(this.#runtimeImporters.get(id) ?? []),
    ];
    return [...new Set(importers)].filter((importer) => this.#loaded.has(importer));
  }

  /** Whether a module of the app imports this one in its latest code. */
  isStillImported(id: string): boolean {
    const importers = [
      ...this.#transformer.importersOf(id),
      ...(this.#runtimeImporters.get(id) ?? []),
    ];
    return importers.some((importer) => this.#loaded.has(importer));
  }

  globImportersOf(file: string): string[] {
    return this.#transformer.globImportersOf(file).filter((id) => this.#loaded.has(id));
  }

  filesLike(file: string): string[] {
    const stem = stemOf(file);
    return [...this.#loaded.keys()].filter((id) => id !== file && stemOf(id) === stem);
  }

  async #answer(request: ChannelRequest): Promise<ChannelReply> {
    try {
      if (request.type === 'resolve') {
        const { specifier, importer } = request;
        return { type: 'resolved', id: await this.#transformer.resolve(specifier, importer) };
      }
      const modules = await this.#collectCurrent(request.id);
      this.accept(modules);
      for (const id of Object.keys(modules)) {
        this.#fetched.add(id);
      }
      return { type: 'modules', modules };
    } catch (error) {
      const serialized = serializeError(error);
      if (request.type === 'fetch' && request.importer && serialized.code === 'ERR_LOAD_URL') {
        // Vite names the importer only while its graph knows one.
        serialized.message = `Cannot find module '${request.id}' imported from '${request.importer}'`;
      }
      return { type: 'error', error: serialized };
    }
  }

  #tie(id: string, imports: string[]): void {
    for (const imported of this.#imports.get(id) ?? []) {
      this.#importers.get(imported)?.delete(id);
      if (!imports.includes(imported)) {
        this.#untied.add(imported);
      }
    }
    this.#imports.set(id, imports);
    for (const imported of imports) {
      const importers = this.#importers.get(imported) ?? new Set();
      this.#importers.set(imported, importers.add(id));
    }
  }

  /** Collects modules of one and the same moment: starts again if a file changes meanwhile. */
  async #collectCurrent(id: string): Promise<Record<string, FetchedModule>> {
    for (;;) {
      const { revision } = this.#transformer;
      const modules: Record<string, FetchedModule> = {};
      await this.#collect(id, modules);
      if (revision === this.#transformer.revision) {
        return modules;
      }
    }
  }

  /** Collects the module and all of its static imports that the app lacks. */
  async #collect(id: string, modules: Record<string, FetchedModule>): Promise<void> {
    modules[id] = await this.#transformer.transform(id);
    await Promise.all(
      this.#transformer.staticImportsOf(id).map(async (dependency) => {
        if (dependency in modules || this.#loaded.has(dependency)) {
          return;
        }
        // Claimed at once, so that two importers do not fetch it twice.
        modules[dependency] = { code: '' };
        try {
          await this.#collect(dependency, modules);
        } catch {
          // The app will ask for this module itself, and gets the error then.
          delete modules[dependency];
        }
      }),
    );
  }
}

const INLINE_MAP = /\n+\/\/# sourceMapping[\s\S]*$/;

function emittedCode(module: FetchedModule): string {
  return module.code?.replace(INLINE_MAP, '') ?? module.externalize ?? '';
}
