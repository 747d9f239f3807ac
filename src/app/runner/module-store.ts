import type { ModuleCache } from 'vite-node';
import type { ModuleCacheMap } from 'vite-node/client';
import type { FetchedModule } from '../../protocol/messages.ts';

/** vite-node's record of a module, with the module as Node's CommonJS knows it. */
export interface RunnerModule extends ModuleCache {
  imports: Set<string>;
  /** Those of `imports` that are imported without naming the exports that are used. */
  opaqueImports: Set<string>;
  /** Exports that never change, if they are primitive. */
  constants: string[];
  isInert?: boolean | undefined;
  /** Whether it has a top-level await. */
  isAwaited?: boolean;
  node: NodeJS.Module;
}

/** Evaluated modules, in vite-node's cache, and the code of modules that are not evaluated yet. */
export class ModuleStore {
  readonly #cache: ModuleCacheMap;
  #supplied = new Map<string, FetchedModule>();

  constructor(cache: ModuleCacheMap) {
    this.#cache = cache;
  }

  /** Whether the module was evaluated, or is about to be. */
  has(id: string): boolean {
    return this.#cache.has(id);
  }

  get(id: string): RunnerModule | undefined {
    return this.has(id) ? (this.#cache.getByModuleId(id) as RunnerModule) : undefined;
  }

  set(id: string, module: RunnerModule): void {
    this.#cache.setByModuleId(id, module);
  }

  delete(id: string): void {
    this.#cache.deleteByModuleId(id);
  }

  /** Code that came from the host and was not evaluated yet. */
  codeOf(id: string): FetchedModule | undefined {
    return this.#supplied.get(id);
  }

  hasCode(id: string): boolean {
    return this.#supplied.has(id);
  }

  /** A module that is evaluated already keeps its code. */
  supply(modules: Record<string, FetchedModule>): void {
    for (const [id, module] of Object.entries(modules)) {
      if (!this.has(id)) {
        this.#supplied.set(id, module);
      }
    }
  }

  deleteCode(id: string): void {
    this.#supplied.delete(id);
  }

  /** The next import evaluates the module again, from the same code. */
  reset(id: string, module: RunnerModule): void {
    this.delete(id);
    if (module.code !== undefined) {
      const { code, isInert, constants } = module;
      this.#supplied.set(id, { code, constants, ...(isInert && { isInert }) });
    }
  }

  /** @returns a function that restores exactly the code that is here now. */
  snapshotCode(): () => void {
    const supplied = new Map(this.#supplied);
    return () => {
      this.#supplied = supplied;
    };
  }
}
