import type { FileConfigs } from '../../medusa/boot/file-config.ts';
import type { Registry } from '../../medusa/workflows/registry.ts';
import type {
  ReloadFile,
  ReloadGuard,
  ReloadOutcome,
  ReloadPlan,
} from '../../protocol/messages.ts';
import type { RestartReason } from '../../protocol/reason.ts';
import { fileOfId, relativeToRoot } from '../../shared/paths.ts';
import { serializeError } from '../../shared/serialized-error.ts';
import {
  type PreparedReload,
  type ReloadContext,
  type ResourceReloader,
  RestartNeeded,
} from '../reloaders/resource-reloader.ts';
import type { ProjectRunner } from '../runner/project-runner.ts';
import type { NeedsAwait } from '../runner/top-level-await.ts';
import type { DeferredEvaluation } from './deferred-evaluation.ts';
import type { HotRegistry } from './hot-registry.ts';
import { importedNames } from './imported-names.ts';
import { sameExport } from './same-exports.ts';

export interface ReloadPassOptions {
  runner: ProjectRunner;
  /** In the order in which they run. */
  reloaders: ResourceReloader[];
  registries: Registry[];
  hot: HotRegistry;
  fileConfigs: FileConfigs;
  deferred: DeferredEvaluation;
  /** Something of the old version could not be cleaned up; the new one serves all the same. */
  onError(error: unknown): void;
}

/** Fewer than this are evaluated in less time than anyone would notice. */
const DEFER_FROM = 40;

/**
 * Brings one save to the running app: evaluates the new modules beside the old ones, lets every reloader
 * prepare, and only then switches over, in one synchronous step. An error before that takes all of it back.
 */
export class ReloadPass {
  readonly #runner: ProjectRunner;
  readonly #reloaders: ResourceReloader[];
  readonly #registries: Registry[];
  readonly #hot: HotRegistry;
  readonly #fileConfigs: FileConfigs;
  readonly #deferred: DeferredEvaluation;
  readonly #onError: (error: unknown) => void;
  /** Of the reload that is under way: files that are left for later. */
  #deferring: ReadonlySet<string> = new Set();
  /** What is evaluated at this moment, or was when it threw. */
  #evaluating: string | undefined;
  /** Of the reload that is under way: files that register while they are evaluated, which nothing may interrupt. */
  #registering: ReadonlySet<string> = new Set();

  constructor(options: ReloadPassOptions) {
    const { runner, reloaders, registries, hot, fileConfigs, deferred, onError } = options;
    this.#runner = runner;
    this.#reloaders = reloaders;
    this.#registries = [...registries, hot];
    this.#hot = hot;
    this.#fileConfigs = fileConfigs;
    this.#deferred = deferred;
    this.#onError = onError;
  }

  async run(plan: ReloadPlan): Promise<ReloadOutcome> {
    this.#deferred.begin([...Object.keys(plan.modules), ...plan.deleted]);
    try {
      return await this.#run(plan);
    } finally {
      this.#deferred.end();
    }
  }

  async #run(plan: ReloadPlan): Promise<ReloadOutcome> {
    const startedAt = performance.now();
    const evaluationsBefore = this.#runner.evaluations;
    const steps = this.#order(plan);
    const files = steps.flatMap((step) => step.files);
    const wasEvaluated = new Set(plan.invalidated.filter((id) => this.#runner.isEvaluated(id)));
    const prepared: PreparedReload[] = [];
    const kept = new Set<string>();
    let evaluatedAt = startedAt;

    this.#registering = new Set(
      plan.steps
        .filter(({ reloader }) => reloader === 'workflows')
        .flatMap((step) => step.files.map(({ file }) => file)),
    );
    const awaited = [...this.#registering].find((file) => this.#runner.isAwaited(file));
    if (awaited !== undefined) {
      return { type: 'restart-needed', reason: this.#cannotAwait(awaited) };
    }
    const restores = new Map(files.map(({ file }) => [file, this.#fileConfigs.reset(file)]));
    const invalidated = new Set(plan.invalidated);
    for (const registry of this.#registries) {
      registry.begin(invalidated);
    }
    this.#deferring = this.#selectDeferred(plan);
    this.#runner.begin({
      invalidated,
      fresh: plan.modules,
      deleted: new Set(plan.deleted),
      isForced: plan.isForced,
      onKept: (id) => {
        kept.add(id);
        restores.get(id)?.();
        for (const registry of this.#registries) {
          registry.keep(id);
        }
      },
    });
    const context = this.#createContext(plan);
    this.#evaluating = undefined;
    try {
      await this.#evaluate(
        [
          ...steps
            .flatMap(({ reloader, files }) => (reloader.isLazy ? [] : files))
            .filter(({ change }) => change !== 'delete')
            .map(({ file }) => file),
          ...plan.evaluate.filter((id) => wasEvaluated.has(id)),
        ].filter((id) => !this.#deferring.has(id)),
      );
      evaluatedAt = performance.now();
      plan.guards.forEach(this.#assertUnaffected);
      for (const { reloader, files } of steps) {
        const changed = files.filter(({ file, change }) => change !== 'update' || !kept.has(file));
        if (changed.length > 0) {
          prepared.push(await reloader.prepare(changed, context));
        }
      }
    } catch (error) {
      this.#rollback(prepared, [...restores.values()]);
      await this.#hot.emit('vite:error', { type: 'error', err: serializeError(error) });
      if (error instanceof RestartNeeded) {
        return { type: 'restart-needed', reason: error.reason };
      }
      const module = this.#evaluating;
      return {
        type: 'kept-previous',
        error: serializeError(error),
        ...(module !== undefined && { module }),
      };
    }

    const preparedAt = performance.now();
    const registered: string[] = [];
    const update = {
      type: 'update',
      updates: plan.invalidated.map((path) => ({ type: 'js-update', path, acceptedPath: path })),
    };
    let evaluated: Set<string>;
    await this.#hot.emit('vite:beforeUpdate', update);
    try {
      evaluated = this.#runner.commit();
      for (const registry of this.#registries) {
        registered.push(...registry.commit());
      }
      for (const { commit } of prepared) {
        commit();
      }
    } catch (error) {
      const { message } = serializeError(error);
      return { type: 'restart-needed', reason: { type: 'commit-failed', message } };
    }
    const committedAt = performance.now();
    const awaiting = [...this.#deferring].filter((id) => !this.#runner.isEvaluated(id));
    for (const { dispose } of prepared.toReversed()) {
      await dispose?.().catch(this.#onError);
    }
    await this.#hot.settle(evaluated);
    await this.#hot.emit('vite:afterUpdate', update);
    await this.#hot.emit('medusa-vite:update', update);
    return {
      type: 'reloaded',
      resources: [...new Set([...prepared.flatMap(({ resources }) => resources), ...registered])],
      modules: this.#runner.evaluations - evaluationsBefore + awaiting.length,
      timing: {
        evaluate: evaluatedAt - startedAt,
        prepare: preparedAt - evaluatedAt,
        commit: committedAt - preparedAt,
      },
    };
  }

  #order(plan: ReloadPlan): { reloader: ResourceReloader; files: ReloadFile[] }[] {
    return this.#reloaders.flatMap((reloader) => {
      const files = plan.steps
        .filter((step) => step.reloader === reloader.name)
        .flatMap((step) => step.files)
        .filter(
          ({ file }) =>
            this.#runner.isEvaluated(file) ||
            this.#deferred.has(file) ||
            (reloader.accepts?.(file) ?? true),
        );
      return files.length > 0 ? [{ reloader, files }] : [];
    });
  }

  /** A request needs few of very many modules: those that cannot fail may come after the reload. */
  #selectDeferred({ deferrable }: ReloadPlan): ReadonlySet<string> {
    const inert = deferrable.filter(
      (id) => this.#runner.isInert(id) && (this.#runner.isEvaluated(id) || this.#deferred.has(id)),
    );
    return new Set(inert.length >= DEFER_FROM ? inert : []);
  }

  /** In one go; only where something has to be awaited does the rest of the app run in between. */
  async #evaluate(queue: string[]): Promise<void> {
    let next = 0;
    while (next < queue.length) {
      let wait: NeedsAwait | undefined;
      this.#show('enter');
      try {
        while (next < queue.length && !wait) {
          this.#evaluating = queue[next] ?? '';
          wait = this.#runner.evaluateNow(this.#evaluating);
          next += wait ? 0 : 1;
        }
      } finally {
        this.#show('leave');
      }
      if (wait && this.#registering.has(wait.what)) {
        throw new RestartNeeded(this.#cannotAwait(wait.what));
      }
      await wait?.settle();
    }
    this.#evaluating = undefined;
  }

  #cannotAwait(file: string): RestartReason {
    return { type: 'registers-asynchronously', path: relativeToRoot(this.#runner.root, file) };
  }

  #show(state: 'enter' | 'leave'): void {
    for (const registry of this.#registries) {
      registry[state]();
    }
  }

  /** @throws RestartNeeded if a module that cannot be evaluated again has imported what is different now */
  readonly #assertUnaffected = ({ importer, imported, reason }: ReloadGuard): void => {
    const before = this.#runner.exportsBefore(imported);
    const after = this.#runner.exportsOf(imported);
    const names = importedNames(this.#runner.codeOf(importer) ?? '', imported, this.#runner.root);
    if (!before || !after || !sameImports(before, after, names)) {
      throw new RestartNeeded(reason);
    }
  };

  #rollback(prepared: PreparedReload[], restores: (() => void)[]): void {
    this.#runner.rollback();
    for (const registry of this.#registries) {
      registry.rollback();
    }
    for (const { rollback } of prepared.toReversed()) {
      rollback?.();
    }
    for (const restore of restores.toReversed()) {
      restore();
    }
  }

  #createContext({ invalidated }: ReloadPlan): ReloadContext {
    const runner = this.#runner;
    return {
      importFile: async (file) => {
        await this.#evaluate([file]);
        return (await runner.importFile(file)) as Record<string, unknown>;
      },
      isDisabled: (file) => this.#fileConfigs.isDisabled(file),
      isDeferred: (file) => this.#deferring.has(file),
      defer: (file, onEvaluated) => this.#deferred.add(file, onEvaluated),
      importLater: (file) => this.#deferred.evaluate(file),
      modules: invalidated.map((id) => ({
        id,
        path: relativeToRoot(runner.root, fileOfId(id)),
        get exports() {
          return runner.exportsOf(id);
        },
        previous: runner.exportsBefore(id),
      })),
    };
  }
}

type Exports = Record<string, unknown>;

/** `names`: those that are imported; undefined if it may be all. */
function sameImports(before: Exports, after: Exports, names: string[] | undefined): boolean {
  const isNamed = before.__esModule && after.__esModule;
  // The `default` of JSON and of CommonJS is all of it, and not among the exports.
  const keys = names?.includes('default') && !isNamed ? undefined : names;
  if (keys === undefined && !isNamed) {
    return sameExport(before, after);
  }
  return (keys ?? Object.keys({ ...before, ...after })).every((key) =>
    sameExport(before[key], after[key]),
  );
}
