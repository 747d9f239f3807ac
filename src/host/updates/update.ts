import { medusaModuleOf } from '../../project/layout.ts';
import type { ReloadOutcome, ReloadTiming, Trial } from '../../protocol/messages.ts';
import type { IgnoreReason, RestartReason } from '../../protocol/reason.ts';
import type { UpdateResult, UpdateTiming } from '../../protocol/update.ts';
import { type Plan, plan, type Restart } from '../../rules/planner.ts';
import type { CheckedRule } from '../../rules/rule-set.ts';
import type { Change } from '../../shared/change.ts';
import { fileOfId, relativeToRoot } from '../../shared/paths.ts';
import { type SerializedError, serializeError } from '../../shared/serialized-error.ts';
import type { Transformer } from '../../vite/transformer.ts';
import type { AppModules } from '../processes/app-modules.ts';
import type { AppProcess } from '../processes/app-process.ts';
import type { Supervisor } from '../processes/supervisor.ts';
import type { Backlog } from './backlog.ts';
import { type Batch, filesOf, mergeBatches } from './batch.ts';
import { type FreshCode, isWithoutEffect, transformChanges } from './fresh-code.ts';
import { createReloadPlan, noteReloaded } from './reload-plan.ts';

export interface UpdateContext {
  root: string;
  rules(): readonly CheckedRule[];
  transformer: Transformer;
  supervisor: AppSupervisor;
  /** Modules of the app that serves, or of the latest app that failed. */
  modules(): AppModules;
  isHmrOn(): boolean;
  /**
   * Brings Vite itself up to date, if a change of the batch or of the backlog concerns Vite.
   * @returns the reason, if the app has to restart for such a change
   */
  updateVite(changes: Change[], batch: Batch): Promise<RestartReason | undefined>;
  /** Resolves when files have stopped changing. */
  filesSettled(): Promise<void>;
  onResult(result: UpdateResult): void;
  onNote(note: string): void;
}

export interface AppSupervisor
  extends Pick<Supervisor, 'restart' | 'settled' | 'reload' | 'hurry'> {
  readonly app: Pick<AppProcess, 'send'> | undefined;
}

export interface UpdateOptions extends UpdateContext {
  backlog: Backlog;
  batch: Batch;
  /** The reason for a restart that a person has asked for. */
  wanted: RestartReason | undefined;
  /** Takes the batch that came in since the update began, if there is one. */
  takeMore(): Batch | undefined;
}

interface PlannedUpdate {
  /** The changes of the batch and of the backlog. */
  changes: Change[];
  plan: Plan;
  /** Set if the app has to restart, for any reason. */
  restart: Restart | undefined;
  /** Whether the app restarts whatever the rules say. */
  isRestartForced: boolean;
  /** Whether Vite was restarted, which concerns every file of the batch. */
  isViteNew: boolean;
  isDown: boolean;
  /** Modules of the app that the plan was made for. */
  modules: AppModules;
  /** `performance.now()` */
  startedAt: number;
}

/** The time that an update takes in the host. */
type HostTiming = Omit<UpdateTiming, keyof ReloadTiming | 'ipc'>;

/** Takes one batch to its result. */
export class Update {
  readonly #options: UpdateOptions;
  #batch: Batch;
  /** Files of the batch that have no result yet. */
  readonly #untold: Set<string>;

  constructor(options: UpdateOptions) {
    this.#options = options;
    this.#batch = options.batch;
    this.#untold = new Set(filesOf(options.batch));
  }

  get unfinished(): string[] {
    return [...this.#untold];
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      let planned = await this.#plan();
      if (planned?.restart) {
        // A branch switch takes one restart for all of its files.
        await this.#options.filesSettled();
        planned = this.#takeMore() ? await this.#plan() : planned;
      }
      if (planned) {
        await this.#carryOut(planned);
      }
    } catch (error) {
      const { changes } = this.#batch;
      this.#keepPrevious(changes, { files: changes.map(({ file }) => file), error });
    }
  }

  #takeMore(): boolean {
    const more = this.#options.takeMore();
    if (!more) {
      return false;
    }
    this.#batch = mergeBatches(this.#batch, more);
    for (const file of filesOf(more)) {
      this.#untold.add(file);
    }
    return true;
  }

  /** @returns undefined if there is nothing to be done */
  async #plan(): Promise<PlannedUpdate | undefined> {
    const { root, transformer, supervisor, wanted, backlog } = this.#options;
    const { unchanged } = this.#batch;
    // An app on its way up may have the change already, or can take it by a reload.
    await supervisor.settled();
    const startedAt = performance.now();
    const changes = backlog.with(this.#batch.changes);
    const viteReason = await this.#options.updateVite(changes, this.#batch);
    if (viteReason === undefined) {
      await transformer.recovered;
    }
    const modules = this.#options.modules();
    const isDown = !supervisor.app;
    const rules = this.#options.rules();
    if (this.#batch.changes.length === 0 && wanted === undefined && !this.#isMending(isDown)) {
      this.#ignore(unchanged, { type: 'content-unchanged' });
      return undefined;
    }
    await transformer.onChange(changes, (id) => modules.isLoaded(id));
    const planned = plan(changes, { root, graph: modules, rules });
    const forced = wanted ?? viteReason;
    return {
      changes,
      plan: planned,
      restart: forced
        ? { reason: forced, chain: [] }
        : (planned.restart ?? this.#restartForAnyChange(isDown)),
      isRestartForced: forced !== undefined,
      isViteNew: viteReason !== undefined,
      isDown,
      modules,
      startedAt,
    };
  }

  /** A person who saves an unchanged file while no app runs wants another try. */
  #isMending(isDown: boolean): boolean {
    return isDown && this.#batch.unchanged.length > 0;
  }

  #restartForAnyChange(isDown: boolean): Restart | undefined {
    const { changes, unchanged } = this.#batch;
    if (!isDown && this.#options.isHmrOn()) {
      return undefined;
    }
    return this.#restartFor(changes.length > 0 ? changes.map(({ file }) => file) : unchanged);
  }

  #restartFor(files: string[]): Restart {
    const { root } = this.#options;
    const paths = files.map((file) => relativeToRoot(root, file));
    return { reason: { type: 'files-changed', paths }, chain: [] };
  }

  async #carryOut(planned: PlannedUpdate): Promise<void> {
    const { root, transformer, supervisor, backlog, wanted } = this.#options;
    const { changes, plan, restart, isRestartForced, isDown, modules } = planned;
    for (const note of new Set(plan.notes)) {
      this.#options.onNote(note);
    }
    const files = this.#ignoreNeedless(planned);
    if (files.length === 0 && wanted === undefined) {
      return;
    }
    if (restart && changes.some(({ change }) => change !== 'update')) {
      // Only reloads resolve imports and globs again, and they leave out native files.
      transformer.resolveAnew();
    }
    const plannedAt = performance.now();
    let fresh: FreshCode;
    try {
      const isBehind = !backlog.isEmpty;
      fresh = await transformChanges({ root, transformer, modules, changes, plan, isBehind });
    } catch (error) {
      this.#keepPrevious(changes, { files, error });
      return;
    }
    if (!isDown && !isRestartForced && isWithoutEffect(fresh, { changes, plan, modules })) {
      supervisor.app?.send({ type: 'retrace', modules: modules.retrace(fresh) });
      const isUndone = !backlog.isEmpty;
      backlog.clear();
      this.#ignore(files, { type: 'code-unchanged' }, isUndone);
      return;
    }
    backlog.add(changes);
    if (restart) {
      await this.#restart(files, restart, this.#trialFor(plan));
    } else if (modules !== this.#options.modules()) {
      // The app that the plan was made for has crashed meanwhile.
      await this.#restart(files, this.#restartFor(files));
    } else {
      const transformedAt = performance.now();
      const timing = {
        watch: planned.startedAt - this.#batch.since,
        plan: plannedAt - planned.startedAt,
        transform: transformedAt - plannedAt,
      };
      await this.#reload(files, { planned, fresh, timing });
    }
  }

  async #reload(
    files: string[],
    { planned, fresh, timing }: { planned: PlannedUpdate; fresh: FreshCode; timing: HostTiming },
  ): Promise<void> {
    const { supervisor, backlog } = this.#options;
    const { changes, plan, modules } = planned;
    const reloadPlan = createReloadPlan({ changes, plan, fresh, modules });
    modules.takeAdded();
    const outcome = await supervisor.reload(reloadPlan);
    backlog.broken = brokenModule(outcome);
    switch (outcome?.type) {
      case 'reloaded': {
        backlog.clear();
        const unused = noteReloaded(modules, reloadPlan);
        if (unused.length > 0) {
          supervisor.app?.send({ type: 'prune', ids: unused });
        }
        const ms = this.#elapsed();
        const ipc = ms - sum([...Object.values(timing), ...Object.values(outcome.timing)]);
        this.#report({ ...outcome, files, ms, timing: { ...timing, ...outcome.timing, ipc } });
        return;
      }
      case 'kept-previous':
        // The app has dropped the modules that the failed reload imported.
        modules.forget(modules.takeAdded());
        this.#tellKept(files, { error: outcome.error });
        return;
      case 'restart-needed':
        await this.#restart(files, { reason: outcome.reason, chain: [] });
        return;
      case undefined:
        await this.#restart(files, this.#restartFor(files));
    }
  }

  async #restart(files: string[], { reason, chain }: Restart, trial?: Trial): Promise<void> {
    const { supervisor, backlog } = this.#options;
    // The running app answers until the next one is prepared, which takes seconds.
    supervisor.app?.send({ type: 'release' });
    const result = await supervisor.restart(reason, trial);
    if (result.type === 'restarted') {
      backlog.clear();
      this.#report({ type: 'restarted', files, reason, chain, ms: this.#elapsed() });
    } else {
      this.#tellKept(files, { error: result.error, isDown: result.type === 'down' });
    }
  }

  /** The broken module to try out first, unless the restart may leave its Medusa module out. */
  #trialFor({ decisions }: Plan): Trial | undefined {
    const { root, backlog } = this.#options;
    const { broken } = backlog;
    const isOptional =
      broken !== undefined &&
      medusaModuleOf(relativeToRoot(root, fileOfId(broken.module))) !== undefined &&
      decisions.some(({ rule }) => rule.choosesModules);
    return isOptional ? undefined : broken;
  }

  /** Reports the files that need no work. @returns the other files */
  #ignoreNeedless({ plan, isViteNew, isDown }: PlannedUpdate): string[] {
    const { changes, unchanged } = this.#batch;
    const concerned = new Set(changes.map(({ file }) => file));
    if (!this.#isMending(isDown)) {
      this.#ignore(unchanged, { type: 'content-unchanged' });
    }
    // While no app runs, or the app lacks changes, a file that looks unused may be the missing one.
    const isIncomplete = isDown || !this.#options.backlog.isEmpty;
    for (const { file, reason, mayBeMissing } of isViteNew ? [] : plan.ignored) {
      const mayMend = isIncomplete && mayBeMissing;
      if (!mayMend && concerned.delete(file)) {
        this.#ignore([file], reason);
      }
    }
    return [...concerned, ...(this.#isMending(isDown) ? unchanged : [])];
  }

  #ignore(files: string[], reason: IgnoreReason, isUndone = false): void {
    if (files.length > 0) {
      this.#report({ type: 'ignored', files, reason, ...(isUndone && { isUndone }) });
    }
  }

  #keepPrevious(changes: Change[], { files, error }: { files: string[]; error: unknown }): void {
    const { supervisor, backlog } = this.#options;
    backlog.add(changes);
    this.#tellKept(files, { error: serializeError(error), isDown: !supervisor.app });
  }

  #tellKept(files: string[], kept: { error: SerializedError; isDown?: boolean }): void {
    const { error, isDown = false } = kept;
    const ms = this.#elapsed();
    this.#report({ type: 'kept-previous', files, error, ...(isDown && { isDown }), ms });
  }

  #report(result: UpdateResult): void {
    const { root, onResult } = this.#options;
    for (const file of result.files) {
      this.#untold.delete(file);
    }
    onResult({ ...result, files: result.files.map((file) => relativeToRoot(root, file)) });
  }

  #elapsed(): number {
    return Math.round((performance.now() - this.#batch.since) * 10) / 10;
  }
}

/** The module that the app could not evaluate, if there is one. */
function brokenModule(outcome: ReloadOutcome | undefined): Trial | undefined {
  return outcome?.type === 'kept-previous' && outcome.module !== undefined
    ? { module: outcome.module, message: outcome.error.message }
    : undefined;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
