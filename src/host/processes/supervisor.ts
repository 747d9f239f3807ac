import type { PreparedApp, ReloadOutcome, ReloadPlan, Trial } from '../../protocol/messages.ts';
import type { RestartReason } from '../../protocol/reason.ts';
import type { ForkedExit } from '../../shared/process/forked-process.ts';
import { describeExit } from '../../shared/process/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import type { AppProcess } from './app-process.ts';
import { BootError, reasonOf, UnfitAppError } from './process-failure.ts';

export type SupervisedApp = Pick<
  AppProcess,
  'prepared' | 'ready' | 'exited' | 'start' | 'reload' | 'stop' | 'kill' | 'hurry'
>;

/** Decides where the app's connections go. */
export interface Gate<A> {
  forwardTo(app: A): void;
  hold(reason: RestartReason): void;
  fail(error: SerializedError): void;
}

export interface SupervisorOptions<A> {
  gate: Gate<A>;
  /** Makes the next app, out of a spare if there is one. */
  spawn(): A;
  /** Makes the next app without a spare, because the spare was unfit. */
  respawn(unfit: UnfitAppError): A;
  /** Makes an app that only prepares itself, and fails if the trial fails. */
  tryOut(trial: Trial): A;
  /** The previous app is gone, and this one is about to take its place. */
  onServing(app: A, prepared: PreparedApp): void;
  /** The app ended by itself. */
  onCrash(exit: ForkedExit, willRestart: boolean): void;
  /** The app serves again after a crash, or could not be brought up. */
  onRecovered(result: RestartResult): void;
}

export type RestartResult =
  | { type: 'restarted' }
  /** The new app could not be prepared: the old app goes on. */
  | { type: 'kept-previous'; error: SerializedError }
  /** No app runs; the next change tries again. */
  | { type: 'down'; error: SerializedError };

/** A crash this soon after the app was ready will repeat itself: each next try waits longer. */
const STABLE_AFTER_MS = 2_000;
const BACKOFF_MS = [0, 500, 2_000, 5_000];

/**
 * Keeps one app alive. A restart first prepares the new app beside the running one: a failure up to then
 * (a config with a typo, a missing package) leaves the running app as it was.
 */
export class Supervisor<A extends SupervisedApp = AppProcess> {
  readonly #options: SupervisorOptions<A>;
  /** The app that serves; unset while there is none. */
  #app: A | undefined;
  /** The app on its way up; unset once it serves or has failed. */
  #next: A | undefined;
  /** The app that makes way for the next one; unset once it has exited. */
  #previous: A | undefined;
  /** Settles when the latest restart is over; never rejects. */
  #restarting: Promise<unknown> = Promise.resolve();
  /** Set after a crash, until the next restart begins. */
  #backoff: NodeJS.Timeout | undefined;
  #readyAt = 0;
  /** How many crashes came in a row, each soon after the app was ready, with no change between them. */
  #crashes = 0;
  #isClosed = false;

  constructor(options: SupervisorOptions<A>) {
    this.#options = options;
  }

  get app(): A | undefined {
    return this.#app;
  }

  /** Restarts for a change, or because a person asks. Never rejects. A second call waits for the first. */
  restart(reason: RestartReason, trial?: Trial): Promise<RestartResult> {
    this.#crashes = 0;
    return this.#enqueue(reason, trial);
  }

  #enqueue(reason: RestartReason, trial?: Trial): Promise<RestartResult> {
    const restarting = this.#restarting.then(() => this.#restart(reason, trial));
    this.#restarting = restarting;
    return restarting;
  }

  /** Settles when no restart is under way. */
  async settled(): Promise<void> {
    await this.#restarting;
  }

  /** A change waits: gives up sooner on an app that stands still on its way up. */
  hurry(): void {
    this.#next?.hurry();
  }

  async #restart(reason: RestartReason, trial: Trial | undefined): Promise<RestartResult> {
    clearTimeout(this.#backoff);
    const failed = trial && this.#app ? await this.#tryOut(trial) : undefined;
    if (failed) {
      return failed;
    }
    const { spawn, respawn } = this.#options;
    const result = await this.#bringUp(reason, spawn);
    // An app that was never a spare cannot be unfit.
    return result instanceof UnfitAppError
      ? ((await this.#bringUp(reason, () => respawn(result))) as RestartResult)
      : result;
  }

  /** @returns undefined if the trial went well */
  async #tryOut(trial: Trial): Promise<RestartResult | undefined> {
    let candidate: A | undefined;
    try {
      this.#assertOpen();
      candidate = this.#options.tryOut(trial);
      this.#next = candidate;
      await candidate.prepared;
      return undefined;
    } catch (error) {
      return this.#afterFailure(error);
    } finally {
      candidate?.kill();
      await candidate?.exited;
      this.#next = undefined;
    }
  }

  async #bringUp(reason: RestartReason, spawn: () => A): Promise<RestartResult | UnfitAppError> {
    const { gate, onServing } = this.#options;
    let next: A | undefined;
    try {
      this.#assertOpen();
      next = spawn();
      this.#next = next;
      const prepared = await next.prepared;
      this.#assertOpen();
      gate.hold(reason);
      this.#previous = this.#app;
      this.#app = undefined;
      await this.#previous?.stop();
      this.#previous = undefined;
      this.#assertOpen();
      onServing(next, prepared);
      next.start();
      await next.ready;
      this.#assertOpen();
    } catch (error) {
      next?.kill();
      await next?.exited;
      this.#next = undefined;
      return error instanceof UnfitAppError ? error : this.#afterFailure(error);
    }
    this.#next = undefined;
    this.#app = next;
    this.#readyAt = performance.now();
    gate.forwardTo(next);
    const app = next;
    void app.exited.then((exit) => this.#onExit(app, exit));
    return { type: 'restarted' };
  }

  /** @returns undefined if no app runs. */
  async reload(plan: ReloadPlan): Promise<ReloadOutcome | undefined> {
    const app = this.#app;
    const outcome = await app?.reload(plan);
    if (outcome?.type !== 'hung') {
      // The app runs other code now, which may not crash.
      this.#crashes = 0;
      return outcome;
    }
    if (this.#app === app) {
      this.#app = undefined;
      this.#options.gate.hold(outcome.reason);
    }
    app?.kill();
    // Until its exit, the app's jobs could still run beside those of the next app.
    await app?.exited;
    return { type: 'restart-needed', reason: outcome.reason };
  }

  async close(): Promise<void> {
    const apps = this.#close();
    await Promise.all(apps.map((app) => app.stop()));
    await this.#restarting;
  }

  kill(): void {
    for (const app of this.#close()) {
      app.kill();
    }
  }

  /** @returns the apps that have yet to end */
  #close(): A[] {
    this.#isClosed = true;
    clearTimeout(this.#backoff);
    return [this.#app, this.#next, this.#previous].filter((app) => app !== undefined);
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new BootError({ name: 'Error', message: 'The dev server is closing.' });
    }
  }

  #afterFailure(error: unknown): RestartResult {
    const reason = reasonOf(error);
    if (this.#app) {
      return { type: 'kept-previous', error: reason };
    }
    this.#options.gate.fail(reason);
    return { type: 'down', error: reason };
  }

  #onExit(app: A, exit: ForkedExit): void {
    if (this.#app !== app || this.#isClosed) {
      return;
    }
    this.#app = undefined;
    const { code, signal } = exit;
    const gone: RestartReason = { type: 'app-exited', code, signal };
    if (this.#next) {
      // The next app is on its way already.
      this.#options.gate.hold(gone);
      this.#options.onCrash(exit, true);
      return;
    }
    const wasStable = performance.now() - this.#readyAt >= STABLE_AFTER_MS;
    this.#crashes = wasStable ? 1 : this.#crashes + 1;
    const delay = BACKOFF_MS[this.#crashes - 1];
    if (delay === undefined) {
      this.#options.gate.fail({
        name: 'Error',
        message: `The app exited ${describeExit(exit)}, again and again. The next save starts it.`,
      });
      this.#options.onCrash(exit, false);
      return;
    }
    this.#options.gate.hold(gone);
    this.#options.onCrash(exit, true);
    this.#backoff = setTimeout(() => {
      if (!this.#app && !this.#next && !this.#isClosed) {
        void this.#enqueue({ type: 'crash' }).then((result) => this.#options.onRecovered(result));
      }
    }, delay);
  }
}
