import { readFileSync } from 'node:fs';
import type { DevEnvironment, ViteDevServer } from 'vite';
import { ViteNodeServer } from 'vite-node/server';
import type { FetchedModule } from '../protocol/messages.ts';
import type { Change } from '../shared/change.ts';
import { fileOfId, isAbsoluteFile, isRunnerFile, toPosix } from '../shared/paths.ts';
import { type ModuleTraits, readTraits } from './module-traits.ts';
import { VITE_ENVIRONMENT } from './vite-environment.ts';

/** The project's modules as Vite sees them: what they compile to, and which imports which. */
export class Transformer {
  readonly root: string;
  readonly #vite: ViteDevServer;
  readonly #node: ViteNodeServer;
  /** By module id, with the code that they were read from. */
  readonly #traits = new Map<string, { code: string; traits: ModuleTraits }>();

  /** Counts the changes that Vite was told of. */
  #revision = 0;
  #recovered: Promise<void> = Promise.resolve();
  /** Transforms that are under way, by module id. */
  readonly #running = new Map<string, { revision: number; settled: Promise<void> }>();

  /** By file: the source that Vite began to transform before an update asked for it. */
  readonly #anticipated = new Map<string, string>();

  constructor(vite: ViteDevServer, root: string) {
    this.root = root;
    this.#vite = vite;
    this.#node = new ViteNodeServer(withEnvironment(vite, () => this.#environment));
  }

  /** @throws Vite's error about the file, with its position and code frame. */
  async transform(id: string): Promise<FetchedModule> {
    const file = fileOfId(id);
    if (!id.startsWith('\0') && isAbsoluteFile(file) && !isRunnerFile(this.root, file)) {
      return { externalize: file };
    }
    const result = await this.#request(id, file).catch((error: unknown) => {
      countColumnsFromOne(error);
      // Vite 8's native JSON plugin leaves an object where other plugins name the file.
      if (
        error instanceof Error &&
        !isMissing(error) &&
        typeof Reflect.get(error, 'id') !== 'string'
      ) {
        Object.assign(error, { file });
      }
      throw error;
    });
    if (!result) {
      throw Object.assign(new Error(`\`${id}\` could not be loaded`), {
        code: 'ERR_MODULE_NOT_FOUND',
      });
    }
    return { code: result.code, ...this.#traitsOf(id, result.code) };
  }

  /** vite-node hands out a transform that is under way, even if it began before the change: wait for its end. */
  async #request(id: string, file: string): ReturnType<ViteNodeServer['transformRequest']> {
    for (
      let running = this.#running.get(id);
      running && running.revision < this.#revision;
      running = this.#running.get(id)
    ) {
      await running.settled;
    }
    const revision = this.#revision;
    const request = this.#node.transformRequest(id, file, 'ssr');
    const forget = () => {
      if (this.#running.get(id)?.settled === settled) {
        this.#running.delete(id);
      }
    };
    const settled = request.then(forget, forget);
    this.#running.set(id, { revision, settled });
    return request;
  }

  #traitsOf(
    id: string,
    code: string,
  ): Pick<FetchedModule & { code: string }, 'isInert' | 'constants'> {
    let known = this.#traits.get(id);
    if (known?.code !== code) {
      known = { code, traits: readTraits(code) };
      this.#traits.set(id, known);
    }
    const { isInert, constants } = known.traits;
    return { ...(isInert && { isInert }), ...(constants.length > 0 && { constants }) };
  }

  /** Changes whenever a transform may have another result than before. */
  get revision(): number {
    return this.#revision;
  }

  /** Transforms modules ahead of time, so that a starting app does not wait for them. */
  async warmUp(ids: string[]): Promise<void> {
    await Promise.allSettled(ids.map((id) => this.transform(id)));
  }

  /** Call this after a restart of Vite, which has lost its module graph: transforms the app's modules again. */
  recover(ids: string[]): void {
    this.#revision++;
    this.#recovered = this.warmUp(ids);
  }

  /** Resolves when Vite has the module graph again that it had before its restart. */
  get recovered(): Promise<void> {
    return this.#recovered;
  }

  /**
   * Begins to transform a file that has just changed. The transform is mostly done by the time the batch has
   * settled.
   */
  anticipate(file: string): void {
    const ids = this.idsOf(file);
    const source = read(file);
    // An empty file may be one between truncating and writing.
    if (ids.length === 0 || !source) {
      return;
    }
    this.#graph.onFileChange(file);
    this.#revision++;
    this.#anticipated.set(file, source);
    for (const id of ids) {
      this.transform(id).catch(() => {
        // The update asks for the module again, and gets the error then.
      });
    }
  }

  /**
   * Makes Vite read the files anew, unless it has done so since they were written.
   * @param isLoaded Whether the app has the module; the planner takes care of the imports of such a module.
   */
  async onChange(changes: Change[], isLoaded: (id: string) => boolean): Promise<void> {
    // Vite's resolver remembers which files exist, and may hear of these only in a moment.
    const moved = changes.filter(({ change }) => change !== 'update');
    const { pluginContainer } = this.#environment;
    await Promise.all(
      moved.map(({ file, change: event }) => pluginContainer.watchChange(file, { event })),
    );
    for (const { file, change } of changes) {
      const source = change === 'update' ? this.#anticipated.get(file) : undefined;
      if (source !== undefined && source === read(file)) {
        continue;
      }
      if (change === 'delete') {
        this.#graph.onFileDelete(file);
      }
      this.#graph.onFileChange(file);
      this.#revision++;
    }
    this.#anticipated.clear();
    if (moved.length > 0) {
      // Vite remembers the resolved imports of a module, and the app may ask for that module only later.
      this.invalidate([...this.#graph.idToModuleMap.keys()].filter((id) => !isLoaded(id)));
    }
  }

  /** Makes Vite resolve the imports of the modules anew. */
  invalidate(ids: Iterable<string>): void {
    this.#revision++;
    for (const id of ids) {
      const node = this.#graph.getModuleById(id);
      if (node) {
        this.#graph.invalidateModule(node);
      }
    }
  }

  /** Makes Vite resolve all imports anew. */
  resolveAnew(): void {
    this.invalidate(this.#graph.idToModuleMap.keys());
  }

  async resolve(specifier: string, importer: string): Promise<string | null> {
    const { pluginContainer } = this.#environment;
    // Stock Medusa applies the aliases of a tsconfig to JavaScript too; Vite does so only with `allowJs`.
    for (const from of new Set([importer, importer.replace(/\.js$/, '.ts')])) {
      const resolved = await pluginContainer.resolveId(specifier, from);
      if (resolved && !resolved.external) {
        return toPosix(resolved.id);
      }
    }
    return null;
  }

  idsOf(file: string): string[] {
    const nodes = [...(this.#graph.getModulesByFile(file) ?? [])];
    return nodes.flatMap((node) => node.id ?? []);
  }

  importersOf(id: string): string[] {
    const nodes = [...(this.#graph.getModuleById(id)?.importers ?? [])];
    return nodes.flatMap((node) => node.id ?? []);
  }

  /** Modules whose `import.meta.glob` matches a new file. */
  globImportersOf(file: string): string[] {
    const plugin = this.#environment.plugins.find(({ name }) => name === 'vite:import-glob');
    const hook = plugin?.hotUpdate as
      | ((this: object, change: object) => { id?: string | null }[] | undefined)
      | undefined;
    // Vite knows the globs, but shows them only through the hook that it calls for its own updates.
    const modules = hook?.call(
      { environment: this.#environment },
      { type: 'create', file, modules: [] },
    );
    return (modules ?? []).flatMap(({ id }) => id ?? []);
  }

  /** Dynamic imports included. */
  importsOf(id: string): string[] {
    const imported = [...(this.#graph.getModuleById(id)?.importedModules ?? [])];
    return imported.flatMap((node) => node.id ?? []);
  }

  /** Dynamic imports left out. */
  staticImportsOf(id: string): string[] {
    const node = this.#graph.getModuleById(id);
    const urls = new Set(node?.transformResult?.deps);
    return [...(node?.importedModules ?? [])].flatMap((imported) =>
      imported.id && urls.has(imported.url) ? imported.id : [],
    );
  }

  /** Looked up each time: a restart of Vite replaces it. */
  get #environment(): DevEnvironment {
    return this.#vite.environments[VITE_ENVIRONMENT] as DevEnvironment;
  }

  get #graph(): DevEnvironment['moduleGraph'] {
    return this.#environment.moduleGraph;
  }
}

/** esbuild, in Vite 7, counts the columns from 0; everything else in a place counts from 1. */
function countColumnsFromOne(error: unknown): void {
  const { plugin, loc } = Object(error) as { plugin?: unknown; loc?: { column: number } };
  if (plugin === 'vite:esbuild' && loc) {
    loc.column++;
  }
}

/** vite-node knows one environment for servers, `ssr`: this shows it ours in its place. */
function withEnvironment(vite: ViteDevServer, environment: () => DevEnvironment): ViteDevServer {
  return Object.create(vite, {
    transformRequest: { value: (url: string) => environment().transformRequest(url) },
    moduleGraph: { get: () => environment().moduleGraph },
  }) as ViteDevServer;
}

/** Whether Vite found no file for the id. */
function isMissing(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_LOAD_URL';
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
