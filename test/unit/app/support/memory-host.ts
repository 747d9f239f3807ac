import { dirname, posix } from 'node:path';
import { moduleRunnerTransform } from 'vite';
import type { ChannelReply, ChannelRequest } from '../../../../src/protocol/channel.ts';
import type {
  FetchedModule,
  ReloadOutcome,
  ReloadPlan,
} from '../../../../src/protocol/messages.ts';
import { builtInRules } from '../../../../src/rules/built-in.ts';
import { createMemoryGraph } from '../../../../src/rules/memory-graph.ts';
import { plan } from '../../../../src/rules/planner.ts';
import type { CheckedRule } from '../../../../src/rules/rule-set.ts';
import type { Change } from '../../../../src/shared/change.ts';
import { relativeToRoot, stemOf } from '../../../../src/shared/paths.ts';
import { serializeError } from '../../../../src/shared/serialized-error.ts';
import { readTraits } from '../../../../src/vite/module-traits.ts';

/** Sources by their paths in the project: JavaScript, whatever the extension, or JSON. */
export type Files = Record<string, string>;

/** A source as Vite's own transform leaves it, with specifiers as they were written. */
type Compiled = { code: string; specifiers: string[] } | { error: unknown };

const STATIC_IMPORT = /(__vite_ssr_import__\()"([^"]+)"/g;

/** The host's part of a reload, on files that are strings: compiles modules, and plans batches. */
export class MemoryHost {
  readonly root: string;
  readonly #rules: readonly CheckedRule[];
  readonly #compiled = new Map<string, Compiled>();
  /** The modules that the app has, each with its imports. */
  readonly #loaded = new Map<string, string[]>();
  readonly #added = new Set<string>();
  readonly #entries = new Set<string>();
  readonly #edges = new Map<string, Set<string>>();
  readonly #accepts: Record<string, string[]> = {};
  /** Files that have changed, but are not in the app yet. */
  readonly #behind = new Map<string, Change>();
  /** Ids that the app had to ask for. */
  readonly fetched: string[] = [];

  constructor(root: string, rules: readonly CheckedRule[] = []) {
    this.root = root;
    this.#rules = [...rules, ...builtInRules];
  }

  readonly channel = {
    request: (request: ChannelRequest): ChannelReply => {
      if (request.type === 'resolve') {
        return { type: 'resolved', id: this.#resolve(request.specifier, request.importer) ?? null };
      }
      this.fetched.push(request.id);
      try {
        const modules: Record<string, FetchedModule> = {};
        this.#collect(request.id, modules);
        this.#accept(modules);
        return { type: 'modules', modules };
      } catch (error) {
        return { type: 'error', error: serializeError(error) };
      }
    },
  };

  async write(files: Files): Promise<void> {
    for (const [path, source] of Object.entries(files)) {
      this.#compiled.set(this.fileOf(path), await compile(path, source));
    }
  }

  /** Of all files that are there. */
  get paths(): string[] {
    return [...this.#compiled.keys()].map((file) => this.#pathOf(file)).sort();
  }

  fileOf(path: string): string {
    return `${this.root}/${path}`;
  }

  addEntry(file: string): void {
    this.#entries.add(file);
  }

  addEdge(importer: string, id: string): void {
    this.#edges.set(importer, (this.#edges.get(importer) ?? new Set()).add(id));
  }

  setAccepts(id: string, dependencies: string[]): void {
    this.#accepts[this.#pathOf(id)] = dependencies.map((one) => this.#pathOf(one));
  }

  /** Plans a batch. `deleted` names files that are gone. */
  async save(saved: Files, deleted: string[], isForced: boolean): Promise<ReloadPlan | Refusal> {
    for (const path of [...Object.keys(saved), ...deleted]) {
      const file = this.fileOf(path);
      const isNew = !this.#compiled.has(file);
      const change = deleted.includes(path) ? 'delete' : isNew ? 'create' : 'update';
      this.#behind.set(file, { file, change, ...(isForced && { isForced }) });
    }
    await this.write(saved);
    for (const path of deleted) {
      this.#compiled.delete(this.fileOf(path));
    }
    return this.#plan([...this.#behind.values()], isForced);
  }

  /** @returns modules that the app has to drop */
  finish({ modules, deleted, steps }: ReloadPlan, { type }: ReloadOutcome): string[] {
    if (type !== 'reloaded') {
      for (const id of this.#added) {
        this.#loaded.delete(id);
      }
      return [];
    }
    this.#behind.clear();
    this.#accept(modules);
    for (const { file, change } of steps.flatMap((step) => step.files)) {
      this.#entries[change === 'delete' ? 'delete' : 'add'](file);
    }
    for (const id of deleted) {
      this.#loaded.delete(id);
    }
    return [...deleted, ...this.#dropOrphans()];
  }

  #plan(changes: Change[], isForced: boolean): ReloadPlan | Refusal {
    const { root } = this;
    const graph = createMemoryGraph({
      root,
      files: Object.fromEntries(
        [...this.#loaded.keys()].map((id) => [
          this.#pathOf(id),
          [...new Set(this.#tiesOf(id))].map((one) => this.#pathOf(one)),
        ]),
      ),
      entries: [...this.#entries].map((file) => this.#pathOf(file)),
      accepts: this.#accepts,
    });
    const planned = plan(changes, { root, graph, rules: this.#rules });
    if (planned.restart) {
      return { outcome: { type: 'restart-needed', reason: planned.restart.reason } };
    }
    const { invalidated, steps, guards } = planned;
    const gone = new Set(changes.flatMap(({ file, change }) => (change === 'delete' ? file : [])));
    const isMoved = changes.some(({ change }) => change !== 'update');
    const known = changes.map(({ file }) => file);
    const ids = [...new Set([...known, ...(isMoved ? invalidated : [])])];
    this.#added.clear();
    try {
      const modules = Object.fromEntries(
        ids.filter((id) => !gone.has(id)).map((id) => [id, this.#transform(id)]),
      );
      const now = new Map([...this.#loaded.keys()].map((id) => [id, this.#importsNow(id)]));
      const evaluate = invalidated.filter(
        (id) =>
          !gone.has(id) &&
          (graph.isEntry(id) || [...now.values()].some((imports) => imports.includes(id))),
      );
      const deferrable = steps
        .flatMap(({ files }) => files.map(({ file }) => file))
        .filter((file) => !(file in modules) && graph.importersOf(file).length === 0);
      const deleted = invalidated.filter((id) => gone.has(id));
      return {
        invalidated,
        modules: isForced ? {} : modules,
        steps,
        guards,
        evaluate,
        deleted,
        deferrable,
        isForced,
      };
    } catch (error) {
      return { outcome: { type: 'kept-previous', error: serializeError(error) } };
    }
  }

  #accept(modules: Record<string, FetchedModule>): void {
    for (const id of Object.keys(modules)) {
      if (!this.#loaded.has(id)) {
        this.#added.add(id);
      }
      this.#loaded.set(id, this.#importsNow(id));
    }
  }

  #transform(id: string): FetchedModule {
    const compiled = this.#compiled.get(id);
    if (!compiled) {
      throw Object.assign(new Error(`\`${id}\` could not be loaded`), { code: 'ERR_LOAD_URL' });
    }
    if ('error' in compiled) {
      throw compiled.error;
    }
    const code = compiled.code.replace(STATIC_IMPORT, (_, call: string, specifier: string) => {
      const resolved = this.#resolve(specifier, id);
      return `${call}${JSON.stringify(resolved ? resolved.slice(this.root.length) : specifier)}`;
    });
    const { isInert, constants } = readTraits(code);
    const path = JSON.stringify(this.#pathOf(id));
    return {
      code: `${code}\n;globalThis[Symbol.for('evaluated')]?.(${path})`,
      constants,
      ...(isInert && { isInert }),
    };
  }

  /** The module, and all its imports that the app does not have yet. */
  #collect(id: string, modules: Record<string, FetchedModule>): void {
    modules[id] = this.#transform(id);
    for (const imported of this.#importsNow(id)) {
      const compiled = this.#compiled.get(imported);
      // The app asks for a broken module itself, and so gets the error.
      if (!(imported in modules) && !this.#loaded.has(imported) && compiled && 'code' in compiled) {
        this.#collect(imported, modules);
      }
    }
  }

  #importsNow(id: string): string[] {
    const compiled = this.#compiled.get(id);
    const specifiers = compiled && 'specifiers' in compiled ? compiled.specifiers : [];
    const resolved = specifiers.flatMap((specifier) => this.#resolve(specifier, id) ?? []);
    return [...resolved, ...(this.#edges.get(id) ?? [])];
  }

  #resolve(specifier: string, importer: string): string | undefined {
    if (!/^[./]/.test(specifier)) {
      return undefined;
    }
    const path = specifier.startsWith('.') ? posix.join(dirname(importer), specifier) : specifier;
    const names = [path, this.root + path];
    return [...this.#compiled.keys()].find(
      (file) => names.includes(file) || names.includes(stemOf(file)),
    );
  }

  #dropOrphans(): string[] {
    const used = new Set([...this.#entries, ...[...this.#loaded.keys()].flatMap(this.#tiesOf)]);
    const orphans = [...this.#loaded.keys()].filter((id) => !used.has(id));
    for (const id of orphans) {
      this.#loaded.delete(id);
    }
    return orphans.length > 0 ? [...orphans, ...this.#dropOrphans()] : orphans;
  }

  readonly #tiesOf = (id: string): string[] => [
    ...(this.#loaded.get(id) ?? []),
    ...(this.#edges.get(id) ?? []),
  ];

  #pathOf(id: string): string {
    return relativeToRoot(this.root, id);
  }
}

/** The outcome of a batch that does not reach the app. */
export interface Refusal {
  outcome: ReloadOutcome;
}

async function compile(path: string, source: string): Promise<Compiled> {
  try {
    const text = path.endsWith('.json') ? `export default ${source}` : source;
    const { code, deps, dynamicDeps } = (await moduleRunnerTransform(text, null, path, '')) ?? {};
    return { code: code ?? '', specifiers: [...(deps ?? []), ...(dynamicDeps ?? [])] };
  } catch (error) {
    return { error };
  }
}
