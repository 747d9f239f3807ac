import type { Registry } from '../../medusa/workflows/registry.ts';
import type { ReloadOutcome, ReloadPlan } from '../../protocol/messages.ts';
import { serializeError } from '../../shared/serialized-error.ts';
import { RestartNeeded } from '../reloaders/resource-reloader.ts';
import type { DeferredEvaluation } from './deferred-evaluation.ts';
import type { HotRegistry } from './hot-registry.ts';
import { Reload, type ReloadParts } from './reload.ts';

export interface ReloadPassOptions extends ReloadParts {
  hot: Registry & Pick<HotRegistry, 'emit' | 'settle'>;
  deferred: Pick<DeferredEvaluation, keyof DeferredEvaluation>;
  /** Gets the errors of cleaning up the old version; the new one serves all the same. */
  onError(error: unknown): void;
}

/**
 * Brings one batch to the running app: evaluates the new modules beside the old ones, lets every reloader
 * prepare, and only then switches over, in one synchronous step. An error before that takes everything back.
 */
export class ReloadPass {
  readonly #options: ReloadPassOptions;

  constructor(options: ReloadPassOptions) {
    this.#options = options;
  }

  async run(plan: ReloadPlan): Promise<ReloadOutcome> {
    const { deferred } = this.#options;
    deferred.begin([...Object.keys(plan.modules), ...plan.deleted]);
    try {
      return await this.#run(plan);
    } finally {
      deferred.end();
    }
  }

  async #run(plan: ReloadPlan): Promise<ReloadOutcome> {
    const { registries, hot, onError, ...parts } = this.#options;
    const startedAt = performance.now();
    const reload = new Reload(plan, { ...parts, registries: [...registries, hot] });
    if (reload.obstacle) {
      return { type: 'restart-needed', reason: reload.obstacle };
    }

    let evaluatedAt: number;
    reload.begin();
    try {
      await reload.evaluate();
      evaluatedAt = performance.now();
      reload.assertGuards();
      await reload.prepare();
    } catch (error) {
      reload.rollback();
      await hot.emit('vite:error', { type: 'error', err: serializeError(error) });
      return outcomeOf(error, reload.evaluating);
    }

    const preparedAt = performance.now();
    const update = {
      type: 'update',
      updates: plan.invalidated.map((path) => ({ type: 'js-update', path, acceptedPath: path })),
    };
    await hot.emit('vite:beforeUpdate', update);
    let evaluated: Set<string>;
    try {
      evaluated = reload.commit();
    } catch (error) {
      const { message } = serializeError(error);
      return { type: 'restart-needed', reason: { type: 'commit-failed', message } };
    }

    const committedAt = performance.now();
    await reload.dispose(onError);
    await hot.settle(evaluated);
    await hot.emit('vite:afterUpdate', update);
    await hot.emit('medusa-vite:update', update);
    return {
      type: 'reloaded',
      resources: reload.resources,
      modules: reload.modules,
      timing: {
        evaluate: evaluatedAt - startedAt,
        prepare: preparedAt - evaluatedAt,
        commit: committedAt - preparedAt,
      },
    };
  }
}

/** The old version goes on serving; `module`: the file that was being evaluated. */
function outcomeOf(error: unknown, module: string | undefined): ReloadOutcome {
  if (error instanceof RestartNeeded) {
    return { type: 'restart-needed', reason: error.reason };
  }
  return {
    type: 'kept-previous',
    error: serializeError(error),
    ...(module !== undefined && { module }),
  };
}
