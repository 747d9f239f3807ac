import { runEach } from '../../shared/run-each.ts';
import { createInstanceProxy, type Instance } from './instance-proxy.ts';
import { WRITTEN_BY_MEDUSA } from './module-instance.ts';
import { hasShutdownHook, runShutdownHooks, runStartHook } from './service-hooks.ts';

type ServiceClass = new (...args: unknown[]) => object;

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

/** What Medusa writes on the class. (`modules-sdk/dist/loaders/utils/load-internal.js`, 2.12.1 to 2.21.2) */
const TYPE = '__type';

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
    return this.instances.some(hasShutdownHook);
  }

  /** Constructs the new version behind every instance. @throws what a constructor throws */
  replace(next: ServiceClass, { argsOf, assigned }: ReplaceOptions): ServiceReplacement {
    const previous = this.#class;
    if (Object.hasOwn(previous, TYPE)) {
      Object.assign(next, { [TYPE]: Reflect.get(previous, TYPE) });
    }
    const swaps: { instance: Instance; before: Instance['current']; after: Instance['current'] }[] =
      [];
    for (const instance of this.#living()) {
      const after = new next(...argsOf(instance.args)) as Instance['current'];
      for (const key of WRITTEN_BY_MEDUSA) {
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
      dispose: () =>
        runEach(
          swaps.flatMap(({ before, after }) => [
            () => runShutdownHooks(before),
            () => runStartHook(after),
          ]),
        ),
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
