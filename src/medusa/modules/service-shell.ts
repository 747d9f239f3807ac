type ServiceClass = new (...args: unknown[]) => object;

/** One instance that Medusa holds: it keeps its identity while what stands behind it is replaced. */
interface Instance {
  current: Record<PropertyKey, unknown>;
  readonly args: unknown[];
}

/** A replacement that is ready: nothing of it shows until `commit`. */
export interface ServiceReplacement {
  commit(): void;
  /** Runs the hooks of the replaced instances and of the new ones. */
  dispose(): Promise<void>;
}

export interface ReplaceOptions {
  /** What to construct an instance with, instead of what the first one was constructed with. */
  argsOf(args: unknown[]): unknown[];
  /** What Medusa would write on the new instance, where that is not what it wrote on the old one. */
  assigned(before: object): object;
}

/** What Medusa writes on an instance after it was constructed. */
const ASSIGNED_BY_MEDUSA = ['__definition', '__joinerConfig'] as const;

/**
 * Stands in for the service class of a module or a provider. Medusa holds on to the class and to its
 * instances in many places (containers, `query`, links, the workflow engine, other modules); this way none
 * of them has to be found: a new version of the class is put behind the instances that are there.
 */
export class ServiceShell {
  readonly proxy: ServiceClass;
  #class: ServiceClass;
  readonly #instances = new Set<WeakRef<Instance>>();

  constructor(service: ServiceClass) {
    this.#class = service;
    // A bound class can be constructed and has no `prototype`, which a proxy could not report otherwise.
    const target = class {}.bind(null) as unknown as ServiceClass;
    this.proxy = new Proxy(target, {
      construct: (_, args) => this.#construct(args),
      get: (_, key) => Reflect.get(this.#class, key),
      set: (_, key, value) => Reflect.set(this.#class, key, value),
      has: (_, key) => Reflect.has(this.#class, key),
      getPrototypeOf: () => Object.getPrototypeOf(this.#class) as object,
      getOwnPropertyDescriptor: (_, key) => {
        const descriptor = Reflect.getOwnPropertyDescriptor(this.#class, key);
        return descriptor && { ...descriptor, configurable: true };
      },
    });
  }

  get current(): ServiceClass {
    return this.#class;
  }

  /** What stands behind the instances at this moment. */
  get instances(): object[] {
    return this.#living().map(({ current }) => current);
  }

  /** Whether an instance does something when it is replaced: it may close what it was given. */
  get hasShutdownHook(): boolean {
    return this.instances.some((instance) =>
      SHUTDOWN_HOOKS.some((name) => typeof hookOf(instance as Hooked, name) === 'function'),
    );
  }

  /** Constructs the new version behind every instance. @throws what a constructor throws */
  replace(next: ServiceClass, { argsOf, assigned }: ReplaceOptions): ServiceReplacement {
    const previous = this.#class;
    for (const key of ['__type']) {
      if (Object.hasOwn(previous, key)) {
        Object.assign(next, { [key]: Reflect.get(previous, key) });
      }
    }
    const swaps: { instance: Instance; before: Instance['current']; after: Instance['current'] }[] =
      [];
    for (const instance of this.#living()) {
      const after = new next(...argsOf(instance.args)) as Instance['current'];
      for (const key of ASSIGNED_BY_MEDUSA) {
        if (Object.hasOwn(instance.current, key)) {
          after[key] = instance.current[key];
        }
      }
      Object.assign(after, assigned(instance.current));
      swaps.push({ instance, before: instance.current, after });
    }
    return {
      commit: () => {
        this.#class = next;
        for (const { instance, after } of swaps) {
          instance.current = after;
        }
      },
      dispose: async () => {
        for (const { before, after } of swaps) {
          for (const name of SHUTDOWN_HOOKS) {
            await runHook(before, name);
          }
          await runHook(after, 'onApplicationStart');
        }
      },
    };
  }

  #living(): Instance[] {
    return [...this.#instances].flatMap((reference) => {
      const instance = reference.deref();
      if (!instance) {
        this.#instances.delete(reference);
      }
      return instance ?? [];
    });
  }

  #construct(args: unknown[]): object {
    const instance: Instance = {
      current: new this.#class(...args) as Instance['current'],
      args,
    };
    this.#instances.add(new WeakRef(instance));
    return createInstanceProxy(instance);
  }
}

/** Functions are bound to what stands behind, since a proxy has none of its private fields. */
function createInstanceProxy(instance: Instance): object {
  let boundTo = instance.current;
  let bound = new WeakMap<object, unknown>();
  const bind = (value: unknown): unknown => {
    if (typeof value !== 'function') {
      return value;
    }
    if (boundTo !== instance.current) {
      // What a base class provides is the same function in both versions.
      boundTo = instance.current;
      bound = new WeakMap();
    }
    let known = bound.get(value);
    if (!known) {
      known = Object.assign(value.bind(instance.current), value);
      bound.set(value, known);
    }
    return known;
  };
  return new Proxy(Object.create(null), {
    get: (_, key) => {
      const value = Reflect.get(instance.current, key, instance.current);
      return key === 'constructor' ? value : bind(value);
    },
    set: (_, key, value) => Reflect.set(instance.current, key, value),
    has: (_, key) => Reflect.has(instance.current, key),
    deleteProperty: (_, key) => Reflect.deleteProperty(instance.current, key),
    defineProperty: (_, key, descriptor) =>
      Reflect.defineProperty(instance.current, key, { ...descriptor, configurable: true }),
    ownKeys: () => Reflect.ownKeys(instance.current),
    getPrototypeOf: () => Reflect.getPrototypeOf(instance.current),
    getOwnPropertyDescriptor: (_, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(instance.current, key);
      return descriptor && { ...descriptor, configurable: true };
    },
  });
}

interface Hooked {
  __hooks?: Record<string, (() => unknown) | undefined>;
}

/** In the order in which Medusa calls them. */
const SHUTDOWN_HOOKS = ['onApplicationPrepareShutdown', 'onApplicationShutdown'];

function hookOf({ __hooks: hooks }: Hooked, name: string): (() => unknown) | undefined {
  return hooks?.[name];
}

async function runHook(instance: Hooked, name: string): Promise<void> {
  await hookOf(instance, name)?.call(instance);
}
