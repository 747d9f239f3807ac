import type { Registry } from '../../medusa/workflows/registry.ts';
import type { RestartReason } from '../../protocol/reason.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import { RestartNeeded } from '../reloaders/resource-reloader.ts';
import type { ProjectRunner } from '../runner/project-runner.ts';
import type { NeedsAwait } from '../runner/top-level-await.ts';

export interface ReloadEvaluationOptions {
  runner: Pick<ProjectRunner, 'root' | 'evaluateNow' | 'isAwaited'>;
  registries: readonly Registry[];
  /** Files that register while they are evaluated: nothing may interrupt that. */
  registering: ReadonlySet<string>;
}

/** Evaluates new versions of files; meanwhile the registries show what these versions register. */
export class ReloadEvaluation {
  readonly #options: ReloadEvaluationOptions;
  #current: string | undefined;

  constructor(options: ReloadEvaluationOptions) {
    this.#options = options;
  }

  /** The file that is being evaluated, or the one that threw. */
  get current(): string | undefined {
    return this.#current;
  }

  /** Why the files cannot be evaluated at all. */
  get obstacle(): RestartReason | undefined {
    const { registering, runner } = this.#options;
    const awaited = [...registering].find((file) => runner.isAwaited(file));
    return awaited === undefined ? undefined : this.#cannotAwait(awaited);
  }

  /** Evaluates the files in one go: the rest of the app runs in between only where a file has to be awaited. */
  async run(files: readonly string[]): Promise<void> {
    const { runner, registering } = this.#options;
    let next = 0;
    while (next < files.length) {
      let wait: NeedsAwait | undefined;
      this.#show('enter');
      try {
        while (next < files.length && !wait) {
          this.#current = files[next] ?? '';
          wait = runner.evaluateNow(this.#current);
          next += wait ? 0 : 1;
        }
      } finally {
        this.#show('leave');
      }
      if (wait && registering.has(wait.what)) {
        throw new RestartNeeded(this.#cannotAwait(wait.what));
      }
      await wait?.settle();
    }
    this.#current = undefined;
  }

  #cannotAwait(file: string): RestartReason {
    const path = relativeToRoot(this.#options.runner.root, file);
    return { type: 'registers-asynchronously', path };
  }

  #show(state: 'enter' | 'leave'): void {
    for (const registry of this.#options.registries) {
      registry[state]();
    }
  }
}
