import type { RunnerModule } from './module-store.ts';

/** Thrown through a synchronous evaluation that meets something which has to be awaited first. */
export class NeedsAwait extends Error {
  /** Id of the module, or name of the package, to await. */
  readonly what: string;
  readonly settle: () => Promise<void>;

  constructor(what: string, settle: () => Promise<void>) {
    super(`\`${what}\` has a top-level await`);
    this.what = what;
    this.settle = settle;
  }
}

/** The error for code that cannot wait, with the code that Node's own has. */
export function asRequireError(error: unknown, specifier: string): unknown {
  return error instanceof NeedsAwait
    ? Object.assign(
        new Error(
          `\`${specifier}\` cannot be loaded with require(): \`${error.what}\` uses top-level await. Use import() instead.`,
        ),
        { code: 'ERR_REQUIRE_ASYNC_MODULE' },
      )
    : error;
}

export interface AwaitedModule {
  module: RunnerModule;
  finished: Promise<void>;
  /** Id of the module that its own evaluation waits for, while it does. */
  waitsFor?: string;
}

/** Modules with top-level await, by id, while they run. */
export class AwaitedModules extends Map<string, AwaitedModule> {
  /** Whether the module cannot finish before the owner has, because both are in a cycle. */
  isWaitingFor(id: string, owner: string): boolean {
    for (let next: string | undefined = id; next; next = this.get(next)?.waitsFor) {
      if (next === owner) {
        return true;
      }
    }
    return false;
  }
}
