import type { FetchedModule } from '../../protocol/messages.ts';
import type { ModuleStore, RunnerModule } from '../runner/module-store.ts';
import { modulesInCycles } from './import-cycles.ts';
import { importedNames } from './imported-names.ts';

/** The modules that a reload replaces. */
export interface ModuleChanges {
  /** Modules that are out of date, because of their own code or of something that they import. */
  invalidated: Iterable<string>;
  /** New code, by id. A module without an entry keeps its code, and is evaluated again only for its imports. */
  fresh: Record<string, FetchedModule>;
  deleted: ReadonlySet<string>;
  /** Whether all modules are evaluated, even those whose imports turned out the same. */
  isForced: boolean;
  /** Called for a module that goes on as it was, because its imports turned out the same. */
  onKept(id: string): void;
}

export interface ModuleReloadOptions {
  root: string;
  modules: ModuleStore;
  changes: ModuleChanges;
  evaluate(id: string, importer: string): RunnerModule;
}

/** One try at a reload: holds the old modules until it is committed or rolled back. */
export class ModuleReload {
  readonly #options: ModuleReloadOptions;
  /** The versions that serve, by id; undefined for a module that was not evaluated before. */
  readonly #asides = new Map<string, RunnerModule | undefined>();
  /** Modules that were put back, because nothing changed for them. */
  readonly #kept = new Set<string>();
  readonly #restoreCode: () => void;
  /** Computed on first use. */
  #inCycles: Set<string> | undefined;

  constructor(options: ModuleReloadOptions) {
    const { modules, changes } = options;
    this.#options = options;
    this.#restoreCode = modules.snapshotCode();
    for (const id of changes.invalidated) {
      this.#putAside(id);
      if (changes.deleted.has(id)) {
        modules.deleteCode(id);
      }
    }
    for (const id of Object.keys(changes.fresh)) {
      this.remember(id);
    }
    modules.supply(changes.fresh);
  }

  /** The version that serves until the commit; undefined if the reload does not replace the module. */
  before(id: string): { module: RunnerModule | undefined } | undefined {
    return this.#asides.has(id) ? { module: this.#asides.get(id) } : undefined;
  }

  /** Notes a new module, so that a rollback removes it. */
  remember(id: string): void {
    if (!this.#asides.has(id)) {
      this.#asides.set(id, undefined);
    }
  }

  /**
   * Puts back a module that has its old code and whose imports turned out the same.
   * @returns undefined if the module has to be evaluated, or already was because its imports lead back to it
   */
  keepUnaffected(id: string): RunnerModule | undefined {
    const { modules, changes } = this.#options;
    const module = this.#asides.get(id);
    if (
      !module ||
      changes.isForced ||
      id in changes.fresh ||
      changes.deleted.has(id) ||
      !this.#isUnaffected(id, module) ||
      modules.has(id)
    ) {
      return undefined;
    }
    this.#asides.delete(id);
    this.#kept.add(id);
    modules.deleteCode(id);
    modules.set(id, module);
    changes.onKept(id);
    return module;
  }

  /** @returns ids of the modules that were evaluated meanwhile */
  commit(): Set<string> {
    for (const module of this.#asides.values()) {
      // Imported modules keep an old version as their `parent`; its `children` would keep all versions before it.
      module?.node.children.splice(0);
    }
    return new Set([...this.#asides.keys()].filter((id) => this.#options.modules.has(id)));
  }

  rollback(): void {
    const { modules } = this.#options;
    for (const [id, module] of this.#asides) {
      if (module) {
        modules.set(id, module);
      } else {
        modules.delete(id);
      }
    }
    // This also drops the code that was fetched meanwhile: it may differ by the next try.
    this.#restoreCode();
  }

  #putAside(id: string): void {
    const { modules } = this.#options;
    const module = modules.get(id);
    this.#asides.set(id, module);
    if (module) {
      modules.deleteCode(id);
      modules.reset(id, module);
    }
  }

  /**
   * Compares the values that the module imports by name. Only primitive constants can be compared: any other
   * value may refer to old code, or change later in the new version alone.
   */
  #isUnaffected(id: string, module: RunnerModule): boolean {
    const imports = [...module.imports];
    // If none of its imports is invalidated, only the host knows why the module is out of date.
    const isKnown = imports.some(
      (imported) => this.#asides.has(imported) || this.#kept.has(imported),
    );
    return (
      isKnown &&
      !this.#isInCycle(id) &&
      imports.every((imported) => this.#isSameFor(id, module, imported))
    );
  }

  #isSameFor(id: string, module: RunnerModule, imported: string): boolean {
    const { root, changes, evaluate } = this.#options;
    if (!this.#asides.has(imported)) {
      return true;
    }
    const before = this.#asides.get(imported);
    const names = module.opaqueImports.has(imported)
      ? undefined
      : importedNames(module.code ?? '', imported, root);
    if (!before || !names || changes.deleted.has(imported)) {
      return false;
    }
    const mayBeKept = !(imported in changes.fresh);
    if (!mayBeKept && !names.every((name) => before.constants.includes(name))) {
      return false;
    }
    const after = evaluate(imported, id);
    return after === before || names.every((name) => isSameConstant(before, after, name));
  }

  #isInCycle(id: string): boolean {
    this.#inCycles ??= modulesInCycles(
      this.#asides.keys(),
      (other) => this.#asides.get(other)?.imports ?? [],
    );
    return this.#inCycles.has(id);
  }
}

function isSameConstant(before: RunnerModule, after: RunnerModule, name: string): boolean {
  const value: unknown = before.node.exports[name];
  return (
    // The exports of a JSON module are its data, without a `default`.
    Object.hasOwn(before.node.exports, name) &&
    Object(value) !== value &&
    before.constants.includes(name) &&
    after.constants.includes(name) &&
    Object.is(value, after.node.exports[name])
  );
}
