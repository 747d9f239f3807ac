import type { FileConfigs } from '../../medusa/boot/file-config.ts';
import type { Registry } from '../../medusa/workflows/registry.ts';
import type { ReloadFile, ReloadPlan } from '../../protocol/messages.ts';
import type { RestartReason } from '../../protocol/reason.ts';
import { fileOfId, relativeToRoot } from '../../shared/paths.ts';
import {
  type ReloadContext,
  type ResourceReload,
  type ResourceReloader,
  RestartNeeded,
} from '../reloaders/resource-reloader.ts';
import type { ProjectRunner } from '../runner/project-runner.ts';
import type { DeferredEvaluation } from './deferred-evaluation.ts';
import { ReloadEvaluation } from './reload-evaluation.ts';
import { isUnaffected } from './reload-guard.ts';

/** The parts of an app that a reload changes. */
export interface ReloadParts {
  runner: ProjectRunner;
  /** In the order in which they run. */
  reloaders: readonly ResourceReloader[];
  registries: readonly Registry[];
  fileConfigs: Pick<FileConfigs, 'isDisabled' | 'reset'>;
  deferred: Pick<DeferredEvaluation, 'has' | 'add' | 'evaluate'>;
}

/** A reload with fewer deferrable files than this evaluates them at once: nobody notices the time. */
const DEFER_FROM = 40;

/** One plan, tried on the running app: each method is one step, and `rollback` takes back those before `commit`. */
export class Reload {
  readonly #plan: ReloadPlan;
  readonly #parts: ReloadParts;
  readonly #steps: { reloader: ResourceReloader; files: ReloadFile[] }[];
  readonly #evaluation: ReloadEvaluation;
  readonly #evaluationsBefore: number;
  readonly #wasEvaluated: ReadonlySet<string>;
  /** Files that are evaluated only after the reload. */
  readonly #deferred: ReadonlySet<string>;
  /** By file: restores the file config that the reload has reset. */
  readonly #restores = new Map<string, () => void>();
  /** Modules for which nothing has changed. */
  readonly #kept = new Set<string>();
  readonly #prepared: ResourceReload[] = [];
  /** Set by `commit`: resources that the registries report. */
  readonly #registered: string[] = [];
  /** Set by `commit`: how many modules were left for later. */
  #left = 0;

  constructor(plan: ReloadPlan, parts: ReloadParts) {
    const { runner, registries } = parts;
    this.#plan = plan;
    this.#parts = parts;
    this.#steps = this.#order();
    this.#deferred = this.#selectDeferred();
    this.#evaluationsBefore = runner.evaluations;
    this.#wasEvaluated = new Set(plan.invalidated.filter((id) => runner.isEvaluated(id)));
    const registering = this.#filesFor(({ isRegistering }) => isRegistering);
    this.#evaluation = new ReloadEvaluation({ runner, registries, registering });
  }

  /** Why the reload cannot even be tried. */
  get obstacle(): RestartReason | undefined {
    return this.#evaluation.obstacle;
  }

  /** The file that is being evaluated, or the one that threw. */
  get evaluating(): string | undefined {
    return this.#evaluation.current;
  }

  get resources(): string[] {
    const prepared = this.#prepared.flatMap(({ resources }) => resources);
    return [...new Set([...prepared, ...this.#registered])];
  }

  /** How many modules were evaluated, or are left for later. */
  get modules(): number {
    return this.#parts.runner.evaluations - this.#evaluationsBefore + this.#left;
  }

  /** Puts the old versions aside, where they go on serving. */
  begin(): void {
    const { runner, registries, fileConfigs } = this.#parts;
    const { invalidated: ids, modules: fresh, deleted, isForced } = this.#plan;
    for (const { file } of this.#steps.flatMap(({ files }) => files)) {
      this.#restores.set(file, fileConfigs.reset(file));
    }
    const invalidated = new Set(ids);
    for (const registry of registries) {
      registry.begin(invalidated);
    }
    runner.begin({
      invalidated,
      fresh,
      deleted: new Set(deleted),
      isForced,
      onKept: (id) => this.#keep(id),
    });
  }

  /** @throws what the new code throws */
  async evaluate(): Promise<void> {
    const entries = this.#steps
      .flatMap(({ reloader, files }) => (reloader.isLazy ? [] : files))
      .filter(({ change }) => change !== 'delete')
      .map(({ file }) => file);
    const others = this.#plan.evaluate.filter((id) => this.#wasEvaluated.has(id));
    await this.#evaluation.run([...entries, ...others].filter((id) => !this.#deferred.has(id)));
  }

  /** @throws RestartNeeded if an import of a module that cannot be evaluated again turned out different */
  assertGuards(): void {
    for (const guard of this.#plan.guards) {
      if (!isUnaffected(guard, this.#parts.runner)) {
        throw new RestartNeeded(guard.reason);
      }
    }
  }

  async prepare(): Promise<void> {
    const context = this.#createContext();
    for (const { reloader, files } of this.#steps) {
      const changed = files.filter(
        ({ file, change }) => change !== 'update' || !this.#kept.has(file),
      );
      if (changed.length > 0) {
        this.#prepared.push(await reloader.prepare(changed, context));
      }
    }
  }

  /**
   * Switches over, synchronously. A throw here means that the app has to be restarted.
   * @returns ids of the modules that were evaluated
   */
  commit(): Set<string> {
    const { runner, registries } = this.#parts;
    const evaluated = runner.commit();
    this.#registered.push(...registries.flatMap((registry) => registry.commit()));
    for (const { commit } of this.#prepared) {
      commit();
    }
    this.#left = [...this.#deferred].filter((id) => !runner.isEvaluated(id)).length;
    return evaluated;
  }

  /** Cleans up after the old versions. */
  async dispose(onError: (error: unknown) => void): Promise<void> {
    for (const { dispose } of this.#prepared.toReversed()) {
      await dispose?.().catch(onError);
    }
  }

  rollback(): void {
    this.#parts.runner.rollback();
    for (const registry of this.#parts.registries) {
      registry.rollback();
    }
    for (const { rollback } of this.#prepared.toReversed()) {
      rollback?.();
    }
    for (const restore of [...this.#restores.values()].toReversed()) {
      restore();
    }
  }

  #order(): { reloader: ResourceReloader; files: ReloadFile[] }[] {
    const { reloaders, runner, deferred } = this.#parts;
    return reloaders.flatMap((reloader) => {
      const files = this.#plan.steps
        .filter((step) => step.reloader === reloader.name)
        .flatMap((step) => step.files)
        .filter(
          ({ file }) =>
            runner.isEvaluated(file) || deferred.has(file) || (reloader.accepts?.(file) ?? true),
        );
      return files.length > 0 ? [{ reloader, files }] : [];
    });
  }

  /** The plan's files for the reloaders that are meant. */
  #filesFor(isMeant: (reloader: ResourceReloader) => boolean | undefined): ReadonlySet<string> {
    const names = this.#parts.reloaders.filter(isMeant).map(({ name }) => name);
    const steps = this.#plan.steps.filter(({ reloader }) => names.includes(reloader));
    return new Set(steps.flatMap(({ files }) => files.map(({ file }) => file)));
  }

  /** A request needs few of very many modules: those that cannot fail may wait until after the reload. */
  #selectDeferred(): ReadonlySet<string> {
    const { runner, deferred } = this.#parts;
    const files = this.#filesFor(({ isDeferring }) => isDeferring);
    const inert = this.#plan.deferrable.filter(
      (id) => files.has(id) && runner.isInert(id) && (runner.isEvaluated(id) || deferred.has(id)),
    );
    return new Set(inert.length >= DEFER_FROM ? inert : []);
  }

  #keep(id: string): void {
    this.#kept.add(id);
    this.#restores.get(id)?.();
    for (const registry of this.#parts.registries) {
      registry.keep(id);
    }
  }

  #createContext(): ReloadContext {
    const { runner, fileConfigs, deferred } = this.#parts;
    return {
      importFile: async (file) => {
        await this.#evaluation.run([file]);
        return (await runner.importFile(file)) as Record<string, unknown>;
      },
      isDisabled: (file) => fileConfigs.isDisabled(file),
      isDeferred: (file) => this.#deferred.has(file),
      defer: (file, onEvaluated) => deferred.add(file, onEvaluated),
      importLater: (file) => deferred.evaluate(file),
      modules: this.#plan.invalidated.map((id) => ({
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
