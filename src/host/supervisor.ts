import type { FlagSource, ReloadOutcome, ReloadPlan } from '../protocol/messages.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import { type AppExit, type AppProcess, BootError, describeExit } from './app-process.ts';

/** Where the app's connections go meanwhile. */
export interface Gate {
  forwardTo(app: AppProcess): void;
  hold(reason: string): void;
  fail(error: SerializedError): void;
}

export interface SupervisorOptions {
  gate: Gate;
  spawn(): AppProcess;
  /** The app has taken the place of the previous one. */
  onServing(app: AppProcess, flag: FlagSource): void;
  /** The app ended without being asked to. */
  onCrash(exit: AppExit, willRestart: boolean): void;
  /** An app that was restarted after a crash serves again, or cannot. */
  onRecovered(result: RestartResult): void;
}

export type RestartResult =
  | { type: 'restarted' }
  /** The new app could not be prepared: the old one was never stopped. */
  | { type: 'kept-previous'; error: SerializedError }
  /** No app runs; the next save tries again. */
  | { type: 'down'; error: SerializedError };

/** A crash this soon after the app was ready is not worth a second try: it would only repeat itself. */
const STABLE_AFTER_MS = 2_000;
const BACKOFF_MS = [0, 500, 2_000, 5_000];

/**
 * Keeps one app alive. A restart first prepares the new app beside the running one: what fails until then
 * (a config with a typo, a missing package) leaves the running one as it was.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  /** The app that serves; unset while there is none. */
  #app: AppProcess | undefined;
  /** The app that is being brought up; unset once it serves or has failed. */
  #next: AppProcess | undefined;
  /** Settles when the restart that is under way has; never rejects. */
  #restarting: Promise<unknown> = Promise.resolve();
  #readyAt = 0;
  #crashes = 0;
  #isClosed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get app(): AppProcess | undefined {
    return this.#app;
  }

  /** Never rejects. A second call waits for the first. */
  restart(reason: string): Promise<RestartResult> {
    this.#restarting = this.#restarting.then(() => this.#restart(reason));
    return this.#restarting as Promise<RestartResult>;
  }

  /** Settles when no restart is under way. */
  async settled(): Promise<void> {
    await this.#restarting;
  }

  /** Gives up an app that is being brought up and does not answer, so that a new save need not wait for it. */
  endHanging(): void {
    this.#next?.endIfHanging();
  }

  async #restart(reason: string): Promise<RestartResult> {
    const { gate, spawn, onServing } = this.#options;
    const next = spawn();
    this.#next = next;
    try {
      const flag = await next.prepared;
      gate.hold(reason);
      const previous = this.#app;
      this.#app = undefined;
      await previous?.stop();
      if (this.#isClosed) {
        throw new BootError({ name: 'Error', message: 'The dev server is closing.' });
      }
      onServing(next, flag);
      next.start();
      await next.ready;
    } catch (error) {
      this.#next = undefined;
      next.kill();
      await next.exited;
      return this.#afterFailure(error);
    }
    this.#next = undefined;
    this.#app = next;
    this.#readyAt = performance.now();
    gate.forwardTo(next);
    void next.exited.then((exit) => this.#onExit(next, exit));
    return { type: 'restarted' };
  }

  /** @returns undefined if no app runs. */
  async reload(plan: ReloadPlan): Promise<ReloadOutcome | undefined> {
    const app = this.#app;
    const outcome = await app?.reload(plan);
    if (outcome?.type !== 'hung') {
      return outcome;
    }
    if (this.#app === app) {
      this.#app = undefined;
    }
    this.#options.gate.hold(outcome.reason);
    app?.kill();
    return { type: 'restart-needed', reason: outcome.reason };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const apps = [this.#app, this.#next].filter((app) => app !== undefined);
    this.#app = undefined;
    await Promise.all(apps.map((app) => app.stop()));
  }

  kill(): void {
    this.#isClosed = true;
    this.#app?.kill();
    this.#next?.kill();
  }

  #afterFailure(error: unknown): RestartResult {
    const reason =
      error instanceof BootError ? error.reason : { name: 'Error', message: String(error) };
    if (this.#app) {
      return { type: 'kept-previous', error: reason };
    }
    this.#options.gate.fail(reason);
    return { type: 'down', error: reason };
  }

  #onExit(app: AppProcess, exit: AppExit): void {
    if (this.#app !== app || this.#isClosed) {
      return;
    }
    this.#app = undefined;
    const wasStable = performance.now() - this.#readyAt >= STABLE_AFTER_MS;
    this.#crashes = wasStable ? 1 : this.#crashes + 1;
    const delay = BACKOFF_MS[this.#crashes - 1];
    this.#options.onCrash(exit, delay !== undefined);
    if (delay === undefined) {
      this.#options.gate.fail({
        name: 'Error',
        message: `The app exited ${describeExit(exit)}, again and again. The next save starts it.`,
      });
      return;
    }
    this.#options.gate.hold(`the app exited ${describeExit(exit)}`);
    setTimeout(() => {
      if (!this.#app && !this.#next && !this.#isClosed) {
        void this.restart('crash').then((result) => this.#options.onRecovered(result));
      }
    }, delay);
  }
}
