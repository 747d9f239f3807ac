/**
 * Something that project modules register with while they are evaluated, such as the workflows. During a
 * reload it has two states, the one that serves and the one to come, and shows the latter only while
 * modules are evaluated; nothing else runs then.
 */
export interface Registry {
  /** Starts a reload: what these modules have registered is not part of the state to come. */
  begin(modules: ReadonlySet<string>): void;
  /** The module is not evaluated again after all: what it has registered stays. */
  keep(module: string): void;
  /** Shows the state to come. */
  enter(): void;
  /** Shows the state that serves. */
  leave(): void;
  /** Makes the state to come the one that serves. @returns words for what came, changed or went */
  commit(): string[];
  /** Drops the state to come. */
  rollback(): void;
}
