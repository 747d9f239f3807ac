import { isEntry } from '../project/layout.ts';
import type { Graph } from '../rules/planner.ts';
import { fileOfId, isAbsoluteFile, isRunnerFile, relativeToRoot } from '../shared/paths.ts';
import type { Transformer } from './transformer.ts';

/** A file about which the running app would know more than its source tells. */
export interface StaticLimit {
  /** Relative to the project. */
  path: string;
  /** The missing knowledge, as the rest of a sentence that begins with the path. */
  limit: string;
}

/**
 * The modules that an app would have, as far as its sources tell: the entries, and all that they import. A Medusa
 * module counts as loaded even if the config does not name it.
 */
export class StaticModules implements Graph {
  readonly limits: StaticLimit[] = [];
  readonly #transformer: Transformer;
  readonly #entries = new Set<string>();
  readonly #importers = new Map<string, Set<string>>();
  readonly #natives = new Set<string>();
  readonly #loaded = new Set<string>();

  constructor(transformer: Transformer) {
    this.#transformer = transformer;
  }

  /** @param files Relative to the project; only the entries among them are loaded. */
  async load(files: string[]): Promise<void> {
    const { root } = this.#transformer;
    const entries = files.filter(isEntry).map((path) => `${root}/${path}`);
    for (const file of entries) {
      this.#entries.add(file);
    }
    await Promise.all(entries.map((file) => this.#add(file)));
    this.limits.sort((a, b) => (a.path < b.path ? -1 : 1));
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

  modulesOf(file: string): string[] {
    return [...this.#loaded].filter((id) => fileOfId(id) === file);
  }

  importersOf(id: string): string[] {
    return [...(this.#importers.get(id) ?? [])];
  }

  /** Matters for new files only, and here all files are old. */
  filesLike(): string[] {
    return [];
  }

  /** Matters for new files only, and here all files are old. */
  globImportersOf(): string[] {
    return [];
  }

  /** Only the running app knows what its modules accept. */
  accepts(): boolean {
    return false;
  }

  async #add(id: string): Promise<void> {
    const { root } = this.#transformer;
    const file = fileOfId(id);
    if (isAbsoluteFile(file) && !isRunnerFile(root, file)) {
      if (!file.includes('/node_modules/')) {
        this.#natives.add(file);
      }
      return;
    }
    if (this.#loaded.has(id)) {
      return;
    }
    this.#loaded.add(id);
    try {
      const { code = '' } = await this.#transformer.transform(id);
      this.#noteLimits(file, code);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      this.#limit(file, `cannot be read, so what it imports is not known: ${firstLine(what)}`);
    }
    await Promise.all(
      this.#transformer.importsOf(id).map((imported) => {
        const importers = this.#importers.get(imported) ?? new Set();
        this.#importers.set(imported, importers.add(id));
        return this.#add(imported);
      }),
    );
  }

  #noteLimits(file: string, code: string): void {
    if (REQUIRE.test(code)) {
      this.#limit(file, 'calls require(): what that loads is known to the running app only');
    }
    if (COMPUTED_IMPORT.test(code)) {
      this.#limit(
        file,
        'imports a computed path: what that loads is known to the running app only',
      );
    }
    if (ACCEPT.test(code)) {
      this.#limit(
        file,
        'may take updates by import.meta.hot: which, is known to the running app only',
      );
    }
  }

  #limit(file: string, limit: string): void {
    this.limits.push({ path: relativeToRoot(this.#transformer.root, file), limit });
  }
}

/** Matched against Vite's output, in which comments and strings are as they were written. */
const REQUIRE = /(?<![\w$.])require\s*\(/;
const COMPUTED_IMPORT = /__vite_ssr_dynamic_import__\((?!\s*["'])/;
const ACCEPT = /\.hot\??\.accept/;

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
