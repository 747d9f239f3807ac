import { isReadByAdmin } from '../../medusa/boot/admin-environment.ts';
import { lockfiles } from '../../project/project.ts';
import type { AdminRequest, AdminState } from '../../protocol/admin.ts';
import { contentOf } from '../../shared/file-state.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import type { AdminProcess } from './admin-process.ts';
import { reasonOf } from './process-failure.ts';

export type AdminRun = Pick<AdminProcess, 'ready' | 'exited' | 'isOutdated' | 'stop' | 'kill'>;

export interface AdminSupervisorOptions {
  root: string;
  spawn(request: AdminRequest, hmrPort: number | undefined): AdminRun;
  onState(state: AdminState): void;
  onFailure(error: SerializedError, headline: string): void;
  onNote(note: string): void;
}

/** An admin process that ends this soon after it was ready would end so again. */
const STABLE_AFTER_MS = 2_000;

/**
 * Keeps an admin process beside the app. The process outlives restarts of the app; another one takes its place
 * only when its settings have changed.
 */
export class AdminSupervisor {
  readonly #options: AdminSupervisorOptions;
  /** The request of the latest app. */
  #wanted: AdminRequest | undefined;
  /** Unset while there is no admin process. */
  #run: AdminRun | undefined;
  /** The run that was asked to stop; unset once it has stopped. */
  #stopping: AdminRun | undefined;
  /** The settings of the run. */
  #fingerprint = '';
  #state: AdminState | undefined;
  #readyAt = 0;
  /** The HMR port of the latest run that was ready: open tabs look for the next run there. */
  #hmrPort: number | undefined;
  /** Runs one `#update` after another; never rejects. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: AdminSupervisorOptions) {
    this.#options = options;
  }

  /** @param request undefined if there is to be no admin */
  want(request: AdminRequest | undefined): void {
    this.#wanted = request;
    if (this.#state?.type === 'starting' && !this.#isStartingFor(request)) {
      // The run may never be ready, because of an endless loop that this request no longer has.
      this.#run?.kill();
    }
    this.#bringUp();
  }

  /** Starts a failed admin process again; else publishes the state once more. */
  retry(): void {
    if (this.#state?.type === 'failed') {
      this.#bringUp();
    } else if (this.#state) {
      this.#publish(this.#state);
    }
  }

  /** A change may mend an admin process that has failed. */
  onChange(): void {
    if (this.#state?.type === 'failed') {
      this.#bringUp();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#stop();
  }

  kill(): void {
    this.#isClosed = true;
    this.#run?.kill();
    this.#stopping?.kill();
  }

  #bringUp(): void {
    if (this.#state?.type === 'failed') {
      this.#publish({ type: 'starting' });
    }
    this.#work = this.#work.then(() => this.#update());
  }

  async #update(): Promise<void> {
    const request = this.#wanted;
    if (this.#isClosed) {
      return;
    }
    if (!request) {
      this.#state = undefined;
      await this.#stop();
      return;
    }
    const fingerprint = fingerprintOf(request, this.#options.root);
    if (this.#run && this.#state?.type === 'ready') {
      if (fingerprint === this.#fingerprint && !(await this.#run.isOutdated())) {
        this.#publish(this.#state);
        return;
      }
      this.#options.onNote('the admin is restarted, for its settings have changed');
    }
    this.#publish({ type: 'starting' });
    await this.#stop();
    if (!this.#isClosed) {
      this.#fingerprint = fingerprint;
      await this.#start(request);
    }
  }

  async #start(request: AdminRequest): Promise<void> {
    const { spawn, onFailure } = this.#options;
    let run: AdminRun | undefined;
    try {
      const started = spawn(request, this.#hmrPort);
      run = started;
      this.#run = started;
      const { port, hmrPort } = await started.ready;
      this.#readyAt = performance.now();
      this.#hmrPort = hmrPort;
      this.#publish({ type: 'ready', port });
      void started.exited.then((reason) => this.#onExit(started, reason));
    } catch (error) {
      await run?.exited;
      this.#run = undefined;
      if (this.#wanted !== request) {
        // The next run is on its way.
        return;
      }
      const reason = reasonOf(error);
      this.#publish({ type: 'failed', error: reason });
      if (!this.#isClosed) {
        onFailure(reason, 'the admin could not be started');
      }
    }
  }

  #onExit(run: AdminRun, reason: SerializedError): void {
    if (this.#run !== run || this.#isClosed) {
      return;
    }
    this.#run = undefined;
    const wasStable = performance.now() - this.#readyAt >= STABLE_AFTER_MS;
    // A run that was stable starts again at once: requests wait for it.
    this.#publish(wasStable ? { type: 'starting' } : { type: 'failed', error: reason });
    this.#options.onFailure(reason, 'the admin ended by itself');
    if (wasStable) {
      this.#bringUp();
    }
  }

  #isStartingFor(request: AdminRequest | undefined): boolean {
    // Only a run that is ready can tell whether its functions have changed.
    const isComparable = request !== undefined && request.functions.length === 0;
    return isComparable && fingerprintOf(request, this.#options.root) === this.#fingerprint;
  }

  async #stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#stopping = run;
    await run?.stop();
    this.#stopping = undefined;
  }

  #publish(state: AdminState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

/** Identifies the settings of a run. */
function fingerprintOf({ env, ...request }: AdminRequest, root: string): string {
  // A function may read any variable.
  const isRead = (name: string) => request.functions.length > 0 || isReadByAdmin(name);
  const settings = Object.entries(env).filter(([name]) => isRead(name));
  return JSON.stringify([request, settings.sort(), lockfiles(root).map(contentOf)]);
}
