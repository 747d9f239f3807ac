import type { Registry } from '../../medusa/workflows/registry.ts';

type Callback<T> = (value: T) => unknown;

/** The requests that one evaluation of a module makes through `import.meta.hot`. */
interface HotRecord {
  /** Lives as long as the module's id is in use, so each version finds what the one before left here. */
  data: Record<string, unknown>;
  disposers: Callback<Record<string, unknown>>[];
  pruners: Callback<Record<string, unknown>>[];
  acceptsItself: Callback<object>[] | undefined;
  accepts: { ids: string[]; callback: Callback<(object | undefined)[]> }[];
  listeners: Map<string, Set<Callback<unknown>>>;
}

export interface HotRegistryOptions {
  resolve(specifier: string, importer: string): string | undefined;
  exportsOf(id: string): object | undefined;
  /** Gets the modules whose updates this one accepts, itself among them if it accepts its own. */
  onAccepts(id: string, dependencies: string[]): void;
  /** The module called `hot.invalidate`: it cannot take this update after all. */
  onInvalidate(id: string): void;
  onError(error: unknown): void;
}

/**
 * `import.meta.hot` for backend modules, as Vite defines it, with one deliberate difference: the old version is
 * disposed of after the new one serves. So nothing is closed while it is in use, and the old version stays open
 * when the new one fails.
 */
export class HotRegistry implements Registry {
  readonly #options: HotRegistryOptions;
  readonly #records = new Map<string, HotRecord>();
  /** Set during a reload: the versions that serve. */
  #serving: Map<string, HotRecord> | undefined;
  /** Modules that the reload has evaluated; cleared when the next reload begins. */
  readonly #created = new Set<string>();

  constructor(options: HotRegistryOptions) {
    this.#options = options;
  }

  /** The `import.meta.hot` of a module that is being evaluated. */
  create(id: string): object {
    const record = createRecord(this.#serving?.get(id)?.data ?? this.#records.get(id)?.data ?? {});
    this.#records.set(id, record);
    if (this.#serving) {
      this.#created.add(id);
    }
    const { resolve, onInvalidate } = this.#options;
    return {
      get data() {
        return record.data;
      },
      accept: (first?: unknown, second?: unknown) => {
        if (typeof first === 'string' || Array.isArray(first)) {
          const specifiers = [first].flat() as string[];
          const ids = specifiers.map((specifier) => resolve(specifier, id) ?? specifier);
          const callback = typeof second === 'function' ? (second as Callback<unknown>) : () => {};
          const isList = Array.isArray(first);
          record.accepts.push({
            ids,
            callback: (modules) => callback(isList ? modules : modules[0]),
          });
          this.#reportAccepts(id);
          return;
        }
        record.acceptsItself ??= [];
        if (typeof first === 'function') {
          record.acceptsItself.push(first as Callback<object>);
        }
        this.#reportAccepts(id);
      },
      acceptExports: (_names: unknown, callback?: Callback<object>) => {
        record.acceptsItself = [...(record.acceptsItself ?? []), ...(callback ? [callback] : [])];
        this.#reportAccepts(id);
      },
      dispose: (callback: Callback<Record<string, unknown>>) => record.disposers.push(callback),
      prune: (callback: Callback<Record<string, unknown>>) => record.pruners.push(callback),
      decline: () => {},
      invalidate: () => onInvalidate(id),
      on: (event: string, callback: Callback<unknown>) => {
        const listeners = record.listeners.get(event) ?? new Set();
        record.listeners.set(event, listeners.add(callback));
      },
      off: (event: string, callback: Callback<unknown>) => {
        record.listeners.get(event)?.delete(callback);
      },
      // There is no client to send to.
      send: () => {},
    };
  }

  begin(modules: ReadonlySet<string>): void {
    this.#serving = new Map();
    this.#created.clear();
    for (const [id, record] of this.#records) {
      if (modules.has(id)) {
        this.#serving.set(id, record);
        this.#records.delete(id);
      }
    }
  }

  keep(module: string): void {
    const record = this.#serving?.get(module);
    if (record) {
      this.#records.set(module, record);
      this.#serving?.delete(module);
    }
  }

  enter(): void {}

  leave(): void {}

  commit(): string[] {
    return [];
  }

  rollback(): void {
    for (const id of this.#created) {
      this.#records.delete(id);
    }
    for (const [id, record] of this.#serving ?? []) {
      this.#records.set(id, record);
    }
    this.#serving = undefined;
  }

  /** After a commit: disposes of the old versions, the last evaluated first, and calls the accept callbacks. */
  async settle(evaluated: ReadonlySet<string>): Promise<void> {
    const replaced = [...(this.#serving ?? [])].toReversed();
    this.#serving = undefined;
    for (const id of new Set([...replaced.map(([id]) => id), ...this.#created])) {
      this.#reportAccepts(id);
    }
    for (const [id, record] of replaced) {
      await this.#run(record.disposers, record.data);
      if (evaluated.has(id)) {
        await this.#run(record.acceptsItself ?? [], this.#options.exportsOf(id) ?? {});
      } else {
        await this.#run(record.pruners, record.data);
      }
    }
    for (const { accepts } of [...this.#records.values()]) {
      for (const { ids, callback } of accepts) {
        if (ids.some((id) => evaluated.has(id))) {
          const modules = ids.map((id) =>
            evaluated.has(id) ? this.#options.exportsOf(id) : undefined,
          );
          await this.#run([callback], modules);
        }
      }
    }
  }

  /** Disposes of modules that nothing imports any more. */
  async prune(ids: string[]): Promise<void> {
    for (const id of ids) {
      const record = this.#records.get(id);
      this.#records.delete(id);
      await this.#run(record?.disposers ?? [], record?.data ?? {});
      await this.#run(record?.pruners ?? [], record?.data ?? {});
    }
  }

  /** Disposes of every module, because the app ends. */
  async disposeAll(): Promise<void> {
    for (const { disposers, data } of [...this.#records.values()].toReversed()) {
      await this.#run(disposers, data);
    }
    this.#records.clear();
  }

  /** Calls the listeners of the modules that serve: during a reload, those of the old ones. */
  async emit(event: string, payload: unknown): Promise<void> {
    const unchanged = [...this.#records].filter(([id]) => !this.#created.has(id) || !this.#serving);
    for (const { listeners } of [
      ...unchanged.map(([, record]) => record),
      ...(this.#serving?.values() ?? []),
    ]) {
      await this.#run([...(listeners.get(event) ?? [])], payload);
    }
  }

  /** Reports nothing during a reload, which may yet be rolled back. */
  #reportAccepts(id: string): void {
    if (!this.#serving) {
      const record = this.#records.get(id);
      const dependencies = record?.accepts.flatMap(({ ids }) => ids) ?? [];
      this.#options.onAccepts(id, record?.acceptsItself ? [id, ...dependencies] : dependencies);
    }
  }

  async #run<T>(callbacks: Callback<T>[], value: T): Promise<void> {
    for (const callback of callbacks.toReversed()) {
      try {
        await callback(value);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }
}

function createRecord(data: Record<string, unknown>): HotRecord {
  return {
    data,
    disposers: [],
    pruners: [],
    acceptsItself: undefined,
    accepts: [],
    listeners: new Map(),
  };
}
