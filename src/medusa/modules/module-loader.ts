import { type ModuleContainer, registeredSince, type StagedContainer } from './staged-container.ts';

type Loader = (...args: unknown[]) => unknown;

/** One call of a loader by Medusa. */
interface Call {
  args: unknown[];
  /** That of the module, in which a loader registers. */
  container: ModuleContainer | undefined;
  /** Names that it registered in the container of the module. */
  registered: Set<string>;
}

/** A loader of the user's, with what Medusa called it with. */
export class ModuleLoader {
  #current: Loader;
  readonly #calls: Call[] = [];

  constructor(loader: Loader) {
    this.#current = loader;
    // By their names Medusa knows a loader that takes the place of one of its own.
    Object.defineProperty(this.call, 'name', { value: loader.name });
  }

  get current(): Loader {
    return this.#current;
  }

  /** For Medusa to call, when it loads the module. */
  readonly call = async (...args: unknown[]): Promise<void> => {
    const { container } = Object(args[0]) as Partial<Call>;
    const before = container?.registrations;
    await this.#current(...args);
    this.#calls.push({ args, container, registered: registeredSince(before, container) });
  };

  /**
   * Runs the new version as Medusa ran the old one.
   * @param stage Gives what stands in for a container.
   * @returns names that the old version has registered and the new one has not
   * @throws what the loader throws
   */
  async rerun(
    next: Loader,
    stage: (container: ModuleContainer) => StagedContainer,
  ): Promise<{ commit(): void; missing: string[] }> {
    const missing: string[] = [];
    const commits: (() => void)[] = [];
    for (const call of this.#calls) {
      const [options, ...rest] = call.args;
      const staged = call.container && stage(call.container);
      const before = new Set(staged?.names);
      await next(staged ? { ...Object(options), container: staged.scope } : options, ...rest);
      missing.push(...(staged?.missing(call.registered) ?? []));
      commits.push(() => {
        call.registered = new Set(staged?.names.filter((name) => !before.has(name)));
      });
    }
    return {
      missing,
      commit: () => {
        this.#current = next;
        for (const commit of commits) {
          commit();
        }
      },
    };
  }
}
