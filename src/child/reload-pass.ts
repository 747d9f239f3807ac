import type { FileConfigs } from '../medusa/file-config.ts';
import type { ReloadOutcome, ReloadPlan } from '../protocol/messages.ts';
import { serializeError } from '../protocol/serialized-error.ts';
import type { PreparedReload, Reloader } from '../reloaders/reloader.ts';
import type { ProjectRunner } from './project-runner.ts';

export interface ReloadPassOptions {
  runner: ProjectRunner;
  /** In the order in which they run. */
  reloaders: Reloader[];
  fileConfigs: FileConfigs;
}

/**
 * Brings one save to the running app: evaluates the new modules beside the old ones, lets every reloader
 * prepare, and only then switches over, in one synchronous step. An error before that takes all of it back.
 */
export class ReloadPass {
  readonly #runner: ProjectRunner;
  readonly #reloaders: Reloader[];
  readonly #fileConfigs: FileConfigs;

  constructor({ runner, reloaders, fileConfigs }: ReloadPassOptions) {
    this.#runner = runner;
    this.#reloaders = reloaders;
    this.#fileConfigs = fileConfigs;
  }

  async run(plan: ReloadPlan): Promise<ReloadOutcome> {
    const startedAt = performance.now();
    const before = this.#runner.evaluations;
    const undo: (() => void)[] = [];
    const prepared: PreparedReload[] = [];
    const wasEvaluated = new Set(plan.invalidated.filter((id) => this.#runner.isEvaluated(id)));
    this.#runner.begin(plan.invalidated, plan.modules);
    let evaluatedAt = startedAt;
    try {
      for (const { files } of plan.steps) {
        for (const { file, change } of files) {
          undo.push(this.#fileConfigs.reset(file));
          if (change !== 'delete') {
            await this.#runner.importFile(file);
          }
        }
      }
      for (const id of plan.evaluate) {
        if (wasEvaluated.has(id)) {
          await this.#runner.importFile(id);
        }
      }
      evaluatedAt = performance.now();
      for (const reloader of this.#reloaders) {
        const files = plan.steps
          .filter((step) => step.reloader === reloader.name)
          .flatMap((step) => step.files);
        if (files.length > 0) {
          prepared.push(await reloader.prepare(files, this.#context));
        }
      }
    } catch (error) {
      this.#runner.rollback();
      for (const { rollback } of prepared.toReversed()) {
        rollback?.();
      }
      for (const restore of undo.toReversed()) {
        restore();
      }
      return { type: 'kept-previous', error: serializeError(error) };
    }
    const preparedAt = performance.now();
    try {
      this.#runner.commit();
      for (const { commit } of prepared) {
        commit();
      }
    } catch (error) {
      return {
        type: 'restart-needed',
        reason: `a reload failed: ${serializeError(error).message}`,
      };
    }
    const committedAt = performance.now();
    await Promise.allSettled(prepared.toReversed().map(async ({ dispose }) => dispose?.()));
    return {
      type: 'reloaded',
      resources: [...new Set(prepared.flatMap(({ resources }) => resources))],
      modules: this.#runner.evaluations - before,
      timing: {
        evaluate: evaluatedAt - startedAt,
        prepare: preparedAt - evaluatedAt,
        commit: committedAt - preparedAt,
      },
    };
  }

  readonly #context = {
    importFile: async (file: string) =>
      (await this.#runner.importFile(file)) as Record<string, unknown>,
  };
}
