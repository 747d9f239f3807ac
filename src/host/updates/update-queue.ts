import type { RestartReason } from '../../protocol/reason.ts';
import { createDeferred, type Deferred } from '../../shared/deferred.ts';
import { Backlog } from './backlog.ts';
import { type Batch, createBatch, filesOf, mergeBatches } from './batch.ts';
import { Update, type UpdateContext } from './update.ts';

export interface UpdateQueueOptions extends UpdateContext {
  /** Called when every change has its result. */
  onIdle(): void;
}

/** Runs one update after another. Merges the batches that come in meanwhile, so that at most one waits. */
export class UpdateQueue {
  readonly #options: UpdateQueueOptions;
  readonly #backlog = new Backlog();
  #pending: Batch | undefined;
  /** The restart that a person has asked for; it takes the pending batch along. */
  #pendingRestart: { reason: RestartReason; done: Deferred<void> } | undefined;
  #update: Update | undefined;
  /** Set while updates run. */
  #running: Promise<void> | undefined;

  constructor(options: UpdateQueueOptions) {
    this.#options = options;
  }

  /** Whether no update runs or waits. */
  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Changed files that have no result yet. */
  get unfinished(): string[] {
    const pending = this.#pending ? filesOf(this.#pending) : [];
    return [...new Set([...(this.#update?.unfinished ?? []), ...pending])];
  }

  add(batch: Batch): void {
    this.#pending = this.#pending ? mergeBatches(this.#pending, batch) : batch;
    if (batch.changes.length > 0) {
      this.#options.supervisor.hurry();
    }
    this.#running ??= this.#run();
  }

  /** Restarts the app, though no file has changed. */
  restart(reason: RestartReason): Promise<void> {
    this.#pendingRestart ??= { reason, done: createDeferred<void>() };
    const { done } = this.#pendingRestart;
    this.#options.supervisor.hurry();
    this.#running ??= this.#run();
    return done.promise;
  }

  async #run(): Promise<void> {
    while (this.#pending || this.#pendingRestart) {
      const restart = this.#pendingRestart;
      this.#pendingRestart = undefined;
      this.#update = new Update({
        ...this.#options,
        backlog: this.#backlog,
        batch: this.#takePending() ?? createBatch([]),
        wanted: restart?.reason,
        takeMore: () => this.#takePending(),
      });
      await this.#update.run();
      this.#update = undefined;
      restart?.done.resolve();
    }
    this.#running = undefined;
    this.#options.onIdle();
  }

  #takePending(): Batch | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}
