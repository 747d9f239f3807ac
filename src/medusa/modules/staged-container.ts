import { runEach } from '../../shared/run-each.ts';

interface Resolver {
  lifetime?: string;
  dispose?(value: unknown): unknown;
}
interface Cached {
  resolver: Resolver;
  value: unknown;
}

/** The part of an awilix container, as Medusa makes them, that is used here. */
export interface ModuleContainer {
  readonly cradle: object;
  readonly registrations: Record<string, Resolver>;
  readonly cache: Map<string, Cached>;
  register(name: string, resolver: Resolver): unknown;
  register(resolvers: Record<string, Resolver>): unknown;
  registerAdd?(name: string, resolver: unknown): unknown;
  createScope(): ModuleContainer;
}

/**
 * What the loaders of a module register in its container, apart from that container until it counts: they run
 * against a scope of it. (awilix 8, `createMedusaContainer` of `utils/dist/common/medusa-container.js`, the
 * same in 2.12.1 and 2.21.2)
 */
export class StagedContainer {
  readonly scope: ModuleContainer;
  readonly #target: ModuleContainer;
  /** As they were registered; in the scope none is a singleton, since those are cached in the target. */
  readonly #resolvers = new Map<string, Resolver>();
  #hasAppended = false;

  constructor(target: ModuleContainer) {
    this.#target = target;
    this.scope = target.createScope();
    const { register } = this.scope;
    this.scope.register = (names: string | Record<string, Resolver>, resolver?: Resolver) => {
      const entries = typeof names === 'string' ? { [names]: resolver ?? {} } : names;
      for (const [name, registered] of Object.entries(entries)) {
        this.#resolvers.set(name, registered);
        const isSingleton = registered.lifetime === 'SINGLETON';
        const staged = isSingleton ? { ...registered, lifetime: 'SCOPED' } : registered;
        Reflect.apply(register, this.scope, [name, staged]);
      }
      return this.scope;
    };
    this.scope.registerAdd = () => {
      this.#hasAppended = true;
      return this.scope;
    };
  }

  get names(): string[] {
    return [...this.#resolvers.keys()];
  }

  /** Whether a loader has added to a list, which nothing takes back. */
  get hasAppended(): boolean {
    return this.#hasAppended;
  }

  /** Names that were registered before, as far as `previous` has them, and are not any more. */
  missing(previous: Iterable<string>): string[] {
    return [...previous].filter((name) => !this.#resolvers.has(name));
  }

  /** The services that are made for the target are made for what is staged. */
  replaceCradle(args: readonly unknown[]): unknown[] {
    return args.map((arg) => (arg === this.#target.cradle ? this.scope.cradle : arg));
  }

  /** @returns how to dispose of what was replaced */
  commit(): () => Promise<void> {
    const disposals: (() => unknown)[] = [];
    for (const [name, resolver] of this.#resolvers) {
      const previous = this.#target.cache.get(name);
      this.#target.cache.delete(name);
      this.#target.register(name, resolver);
      const value = this.scope.cache.get(name)?.value;
      if (value !== undefined && resolver.lifetime === 'SINGLETON') {
        this.#target.cache.set(name, { resolver, value });
      }
      if (previous) {
        disposals.push(() => previous.resolver.dispose?.(previous.value));
      }
    }
    return () => runEach(disposals);
  }
}

/** Names that were registered, or registered anew. */
export function registeredSince(
  before: ModuleContainer['registrations'] | undefined,
  container: ModuleContainer | undefined,
): Set<string> {
  const after = container?.registrations ?? {};
  return new Set(Object.keys(after).filter((name) => after[name] !== before?.[name]));
}
