import { medusaModuleOf } from '../../project/layout.ts';
import type {
  FetchedModule,
  ReloadPlan,
  ReloadStep,
  ReloadTiming,
  Trial,
} from '../../protocol/messages.ts';
import type { RestartReason } from '../../protocol/reason.ts';
import type { UpdateResult, UpdateTiming } from '../../protocol/update.ts';
import { type Plan, plan, type Restart } from '../../rules/planner.ts';
import type { CheckedRule } from '../../rules/rule-set.ts';
import type { Change } from '../../shared/change.ts';
import { createDeferred, type Deferred } from '../../shared/deferred.ts';
import { fileOfId, isRunnerFile, relativeToRoot } from '../../shared/paths.ts';
import { type SerializedError, serializeError } from '../../shared/serialized-error.ts';
import type { Transformer } from '../../vite/transformer.ts';
import type { AppProcess } from '../processes/app-process.ts';
import type { Supervisor } from '../processes/supervisor.ts';
import type { AppModules } from './app-modules.ts';
import type { FileBatch } from './file-watch.ts';

export interface UpdateQueueOptions {
  root: string;
  rules(): readonly CheckedRule[];
  transformer: Transformer;
  supervisor: AppSupervisor;
  /** Modules of the app that serves, or of the one that failed last. */
  modules(): AppModules;
  isHmrOn(): boolean;
  /**
   * Brings Vite itself up to date, where a change concerns it: one of the batch, or one that the app is behind by.
   * @returns the reason, if the app has to restart because of that
   */
  beforePass(changes: Change[], batch: FileBatch): Promise<RestartReason | undefined>;
  /** Resolves when no more files are about to be saved. */
  filesSettled(): Promise<void>;
  onResult(result: UpdateResult): void;
  onNote(note: string): void;
  /** All that was saved has come to its result. */
  onIdle(): void;
}

/** What the queue needs of the supervisor. */
export interface AppSupervisor
  extends Pick<Supervisor, 'restart' | 'settled' | 'reload' | 'hurry'> {
  readonly app: Pick<AppProcess, 'send'> | undefined;
}

interface PendingRestart {
  reason: RestartReason;
  done: Deferred<void>;
}

interface PassOptions {
  /** Why to restart whatever the files say, if so. */
  wanted: RestartReason | undefined;
  /** Whether the rest of a branch switch was waited for. */
  hasSettled?: boolean;
}

interface Reload {
  files: string[];
  planned: Plan;
  /** New code of modules. */
  fresh: Record<string, FetchedModule>;
  /** Files that were deleted. */
  gone: ReadonlySet<string>;
  /** Whether a module has refused its own update: what imports it must evaluate, whatever it sees. */
  isForced: boolean;
  modules: AppModules;
  since: number;
  /** What it took so far. */
  timing: HostTiming;
}

/** The host's part. */
type HostTiming = Omit<UpdateTiming, keyof ReloadTiming | 'ipc'>;

/** Takes batches of saved files one after another, and brings each to one result. */
export class UpdateQueue {
  readonly #options: UpdateQueueOptions;
  /** Saved while a pass was running; merged, so that there is never more than one pass waiting. */
  #pending: FileBatch | undefined;
  /** Asked for by the user; merged with what was saved meanwhile. */
  #pendingRestart: PendingRestart | undefined;
  /** Files of the pass that is running, as long as nothing was said of them. */
  readonly #untold = new Set<string>();
  /** Set while a pass is running. */
  #running: Promise<void> | undefined;
  /** Changes that are on disk but not in the app, because a pass failed. They are part of the next one. */
  readonly #behind = new Map<string, Change>();
  /** What kept the last of them out: a restart must not take the app down for it. */
  #broken: Trial | undefined;

  constructor(options: UpdateQueueOptions) {
    this.#options = options;
  }

  /** No pass is running, and none waits. */
  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Saved files that have come to no result yet. */
  get unfinished(): string[] {
    return [...this.#untold, ...(this.#pending ? filesOf(this.#pending) : [])];
  }

  add(batch: FileBatch): void {
    this.#pending = this.#pending ? merge(this.#pending, batch) : batch;
    if (batch.changes.length > 0) {
      this.#options.supervisor.hurry();
    }
    this.#running ??= this.#drain();
  }

  /** A restart that nobody saved a file for. */
  restart(reason: RestartReason): Promise<void> {
    this.#pendingRestart ??= { reason, done: createDeferred<void>() };
    const { done } = this.#pendingRestart;
    this.#options.supervisor.hurry();
    this.#running ??= this.#drain();
    return done.promise;
  }

  async #drain(): Promise<void> {
    while (this.#pending || this.#pendingRestart) {
      const batch = this.#takePending();
      const restart = this.#pendingRestart;
      this.#pendingRestart = undefined;
      await this.#bringToResult(batch, { wanted: restart?.reason });
      this.#untold.clear();
      restart?.done.resolve();
    }
    this.#running = undefined;
    this.#options.onIdle();
  }

  #takePending(): FileBatch {
    const now = performance.now();
    const batch = this.#pending ?? { changes: [], unchanged: [], since: now, until: now };
    this.#pending = undefined;
    for (const file of filesOf(batch)) {
      this.#untold.add(file);
    }
    return batch;
  }

  /** Never rejects. */
  async #bringToResult(batch: FileBatch, how: PassOptions): Promise<void> {
    try {
      await this.#pass(batch, how);
    } catch (error) {
      const files = batch.changes.map(({ file }) => file);
      this.#keepPrevious(batch.changes, files, serializeError(error), batch.since);
    }
  }

  async #pass(batch: FileBatch, { wanted, hasSettled = false }: PassOptions): Promise<void> {
    const { root, transformer, supervisor } = this.#options;
    const { changes, unchanged, since } = batch;
    // What is saved while the app comes up may be in it already, or can be brought to it in place.
    await supervisor.settled();
    const startedAt = performance.now();
    const all = mergeChanges([...this.#behind.values()], changes);
    const viteReason = await this.#options.beforePass(all, batch);
    if (viteReason === undefined) {
      await transformer.recovered;
    }
    const modules = this.#options.modules();
    const isDown = !supervisor.app;
    const rules = this.#options.rules();
    // Who saves again what has not changed wants the app to be tried again.
    const isMending = isDown && unchanged.length > 0;
    if (changes.length === 0 && wanted === undefined && !isMending) {
      this.#reportUnchanged(unchanged);
      return;
    }
    await transformer.onChange(all, (id) => modules.isLoaded(id));
    const planned = plan(all, { root, graph: modules, rules });
    const files = changes.map(({ file }) => file);
    const forced = wanted ?? viteReason;
    const restart =
      (forced === undefined ? undefined : { reason: forced, chain: [] }) ??
      planned.restart ??
      (isDown || !this.#options.isHmrOn()
        ? { reason: filesChanged(root, files.length > 0 ? files : unchanged), chain: [] }
        : undefined);
    if (restart && !hasSettled) {
      // One restart for all files of a branch switch.
      await this.#options.filesSettled();
      if (this.#pending) {
        const merged = merge(batch, this.#takePending());
        return this.#bringToResult(merged, { wanted, hasSettled: true });
      }
    }
    for (const note of new Set(planned.notes)) {
      this.#options.onNote(note);
    }
    if (isMending) {
      files.push(...unchanged);
    } else {
      this.#reportUnchanged(unchanged);
    }
    const ignored =
      viteReason === undefined ? this.#reportIgnored(changes, planned, isDown) : new Set<string>();
    const concerned = files.filter((file) => !ignored.has(file));
    if (concerned.length === 0 && wanted === undefined) {
      return;
    }

    if (restart && all.some(({ change }) => change !== 'update')) {
      // Whose imports, or globs, lead elsewhere now is worked out for reloads only, and not for native files.
      transformer.resolveAnew();
    }
    const plannedAt = performance.now();
    let fresh: Record<string, FetchedModule>;
    try {
      fresh = await this.#transform(all, planned, modules);
    } catch (error) {
      this.#keepPrevious(all, concerned, serializeError(error), since);
      return;
    }
    if (!isDown && !forced && this.#isWithoutEffect(all, planned, fresh, modules)) {
      const isUndone = this.#behind.size > 0;
      this.#behind.clear();
      this.#broken = undefined;
      supervisor.app?.send({ type: 'retrace', modules: modules.retrace(fresh) });
      const reason = { type: 'code-unchanged' } as const;
      this.#report({ type: 'ignored', files: concerned, reason, ...(isUndone && { isUndone }) });
      return;
    }
    for (const change of all) {
      this.#behind.set(change.file, change);
    }
    if (restart) {
      await this.#restart(concerned, restart, since, this.#trialFor(planned));
      return;
    }
    if (modules !== this.#options.modules()) {
      // The app has crashed meanwhile, and the plan is for the one that is gone.
      const reason = filesChanged(root, concerned);
      await this.#restart(concerned, { reason, chain: [] }, since);
      return;
    }
    const gone = new Set(all.filter(({ change }) => change === 'delete').map(({ file }) => file));
    const timing = {
      watch: startedAt - since,
      plan: plannedAt - startedAt,
      transform: performance.now() - plannedAt,
    };
    const isForced = all.some((change) => change.isForced);
    await this.#reload({
      files: concerned,
      planned,
      fresh,
      gone,
      isForced,
      modules,
      since,
      timing,
    });
  }

  async #reload(reload: Reload): Promise<void> {
    const { files, planned, fresh, gone, isForced, modules, since, timing } = reload;
    const { root, supervisor } = this.#options;
    const { invalidated, steps, guards } = planned;
    const deleted = invalidated.filter((id) => gone.has(fileOfId(id)));
    const evaluate = invalidated.filter(
      (id) => !deleted.includes(id) && (modules.isEntry(id) || modules.isStillImported(id)),
    );
    const plan: ReloadPlan = {
      invalidated,
      modules: fresh,
      steps,
      evaluate,
      deleted,
      guards,
      deferrable: deferrableFiles(steps, fresh, modules),
      isForced,
    };
    modules.takeAdded();
    const outcome = await supervisor.reload(plan);
    this.#broken =
      outcome?.type === 'kept-previous' && outcome.module !== undefined
        ? { module: outcome.module, message: outcome.error.message }
        : undefined;
    switch (outcome?.type) {
      case 'reloaded': {
        const evaluable = new Set(evaluate);
        // Asked again: a module that the app has fetched meanwhile may import one of them.
        const dropped = invalidated.filter(
          (id) =>
            // A file that is back by now was evaluated: of that the next pass will know.
            !modules.isFetched(id) &&
            (deleted.includes(id) ||
              (!evaluable.has(id) && !(id in fresh) && !modules.isStillImported(id))),
        );
        modules.forget(dropped);
        modules.accept(fresh);
        modules.own(steps.flatMap((step) => step.files));
        this.#behind.clear();
        // The app has the code of all of them still, and would not ask for it again.
        const orphans = [...dropped, ...modules.takeOrphans()];
        if (orphans.length > 0) {
          supervisor.app?.send({ type: 'prune', ids: orphans });
        }
        const { resources, modules: evaluated, timing: inApp } = outcome;
        const ms = elapsed(since);
        const ipc = ms - sum([...Object.values(timing), ...Object.values(inApp)]);
        this.#report({
          type: 'reloaded',
          files,
          resources,
          modules: evaluated,
          ms,
          timing: { ...timing, ...inApp, ipc },
        });
        return;
      }
      case 'kept-previous':
        // The app has taken back what it came to import while it tried.
        modules.forget(modules.takeAdded());
        this.#report({ type: 'kept-previous', files, error: outcome.error, ms: elapsed(since) });
        return;
      default:
        await this.#restart(
          files,
          { reason: outcome?.reason ?? filesChanged(root, files), chain: [] },
          since,
        );
    }
  }

  async #restart(
    files: string[],
    { reason, chain }: Restart,
    since: number,
    trial?: Trial,
  ): Promise<void> {
    const { supervisor } = this.#options;
    // The running app goes on answering until the next one is prepared, which takes seconds.
    supervisor.app?.send({ type: 'release' });
    const result = await supervisor.restart(reason, trial);
    if (result.type === 'restarted') {
      this.#behind.clear();
      this.#broken = undefined;
      this.#report({ type: 'restarted', files, reason, chain, ms: elapsed(since) });
    } else {
      const isDown = result.type === 'down';
      this.#report({
        type: 'kept-previous',
        files,
        error: result.error,
        ...(isDown && { isDown }),
        ms: elapsed(since),
      });
    }
  }

  /** A module that is broken may be one that the app is about to do without. */
  #trialFor({ decisions }: Plan): Trial | undefined {
    const { root } = this.#options;
    const isOptional =
      this.#broken !== undefined &&
      medusaModuleOf(relativeToRoot(root, fileOfId(this.#broken.module))) !== undefined &&
      decisions.some(({ rule }) => rule.choosesModules);
    return isOptional ? undefined : this.#broken;
  }

  /**
   * New code of the changed modules. Where files came or went, the imports of their importers resolve
   * differently, so those are transformed anew as well.
   */
  async #transform(
    changes: Change[],
    planned: Plan,
    modules: AppModules,
  ): Promise<Record<string, FetchedModule>> {
    const { root, transformer } = this.#options;
    const gone = new Set<string>();
    const ids = new Set<string>();
    let isResolvedAnew = false;
    for (const { file, change } of changes) {
      if (change === 'delete') {
        gone.add(file);
      } else if (isRunnerFile(root, file)) {
        const known = modules.modulesOf(file);
        // JSON that the app has not loaded may be for others, and with comments: a tsconfig.
        const isForOthers = known.length === 0 && file.endsWith('.json');
        for (const id of known.length > 0 || isForOthers ? known : [file]) {
          ids.add(id);
        }
      }
      isResolvedAnew ||= change !== 'update';
    }
    for (const { file } of planned.ignored) {
      ids.delete(file);
    }
    if (isResolvedAnew || this.#behind.size > 0) {
      transformer.invalidate(planned.invalidated);
      for (const id of planned.invalidated) {
        ids.add(id);
      }
    }
    const fresh: Record<string, FetchedModule> = {};
    await Promise.all(
      [...ids]
        .filter((id) => !gone.has(id))
        .map(async (id) => {
          fresh[id] = await transformer.transform(id);
        }),
    );
    return fresh;
  }

  #isWithoutEffect(
    changes: Change[],
    planned: Plan,
    fresh: Record<string, FetchedModule>,
    modules: AppModules,
  ): boolean {
    return (
      planned.steps.every(({ files }) => files.every(({ change }) => change === 'update')) &&
      changes.every(({ file, change, isForced }) => {
        const ids = modules.modulesOf(file);
        return (
          change === 'update' &&
          !isForced &&
          ids.length > 0 &&
          ids.every((id) => fresh[id] && !modules.isChanged(id, fresh[id]))
        );
      })
    );
  }

  #keepPrevious(changes: Change[], files: string[], error: SerializedError, since: number): void {
    for (const change of changes) {
      this.#behind.set(change.file, change);
    }
    const isDown = !this.#options.supervisor.app;
    this.#report({
      type: 'kept-previous',
      files,
      error,
      ...(isDown && { isDown }),
      ms: elapsed(since),
    });
  }

  #reportUnchanged(files: string[]): void {
    if (files.length > 0) {
      this.#report({ type: 'ignored', files, reason: { type: 'content-unchanged' } });
    }
  }

  #reportIgnored(changes: Change[], planned: Plan, isDown: boolean): Set<string> {
    const reported = new Set<string>();
    // While no app runs, or one is behind, nothing is known to be unused: a file may be what was missing.
    const isIncomplete = isDown || this.#behind.size > 0;
    for (const { file, reason, mayBeMissing } of planned.ignored) {
      const mayMend = isIncomplete && mayBeMissing;
      if (!mayMend && changes.some((change) => change.file === file)) {
        reported.add(file);
        this.#report({ type: 'ignored', files: [file], reason });
      }
    }
    return reported;
  }

  #report(result: UpdateResult): void {
    for (const file of result.files) {
      this.#untold.delete(file);
    }
    const files = result.files.map((file) => relativeToRoot(this.#options.root, file));
    this.#options.onResult({ ...result, files });
  }
}

/** Route files that only something below them has changed for. */
function deferrableFiles(
  steps: ReloadStep[],
  fresh: Record<string, FetchedModule>,
  modules: AppModules,
): string[] {
  return steps
    .filter(({ reloader }) => reloader === 'routes')
    .flatMap(({ files }) => files)
    .filter(
      ({ file, change }) =>
        change === 'update' && !(file in fresh) && modules.importersOf(file).length === 0,
    )
    .map(({ file }) => file);
}

function merge(first: FileBatch, second: FileBatch): FileBatch {
  const changes = mergeChanges(first.changes, second.changes);
  return {
    changes,
    unchanged: [...new Set([...first.unchanged, ...second.unchanged])].filter(
      (file) => !changes.some((change) => change.file === file),
    ),
    since: first.since,
    until: second.until,
  };
}

function mergeChanges(first: Change[], second: Change[]): Change[] {
  const changes = new Map(first.map((change) => [change.file, change]));
  for (const change of second) {
    const earlier = changes.get(change.file);
    // Created and then written again is still created.
    const isStillNew = earlier?.change === 'create' && change.change === 'update';
    changes.set(change.file, { ...earlier, ...change, ...(isStillNew && { change: 'create' }) });
  }
  return [...changes.values()];
}

function filesOf({ changes, unchanged }: FileBatch): string[] {
  return [...changes.map(({ file }) => file), ...unchanged];
}

function filesChanged(root: string, files: string[]): RestartReason {
  return { type: 'files-changed', paths: files.map((file) => relativeToRoot(root, file)) };
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 10) / 10;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
