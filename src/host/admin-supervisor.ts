import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AdminRequest, AdminState } from '../protocol/admin.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import { AdminProcess } from './admin-process.ts';
import { AppModules } from './app-modules.ts';
import { BootError } from './app-process.ts';
import { lockfiles } from './project.ts';
import type { Transformer } from './transformer.ts';

export interface AdminSupervisorOptions {
  root: string;
  transformer: Transformer;
  isStdoutTaken: boolean;
  onState(state: AdminState): void;
  onFailure(error: SerializedError, headline: string): void;
  onNote(note: string): void;
}

/** One that ends this soon after it was ready would only do so again. */
const STABLE_AFTER_MS = 2_000;

/** What the bundler, the dashboard's code and Vite read of the environment. (2.12.1 to 2.21.2) */
const ADMIN_ENV = /^(?:HMR_|ADMIN_|PLUGIN_|VITE_|__MEDUSA_ADMIN_|__VITE_)/;

/**
 * Keeps the admin's process beside the app's. It lives through the app's restarts, and is started anew only
 * when something that it was made from is not the same any more.
 */
export class AdminSupervisor {
  readonly #options: AdminSupervisorOptions;
  /** What the latest app has asked for. */
  #wanted: AdminRequest | undefined;
  /** Unset while there is none. */
  #run: AdminProcess | undefined;
  /** What the run was made from: see `fingerprint`; and, if it has evaluated the config, the files of that. */
  #fingerprint = '';
  #modules: AppModules | undefined;
  #natives = new Map<string, string>();
  #state: AdminState | undefined;
  #readyAt = 0;
  /** Of the latest run that was ready: where open tabs look for the next. */
  #hmrPort: number | undefined;
  /** One change after another; never rejects. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: AdminSupervisorOptions) {
    this.#options = options;
  }

  /** @param request undefined if there is to be no admin */
  want(request: AdminRequest | undefined): void {
    this.#wanted = request;
    this.#bringUp();
  }

  /** Starts it again if it has failed. */
  retry(): void {
    if (this.#state?.type === 'failed') {
      this.#bringUp();
    } else if (this.#state) {
      this.#publish(this.#state);
    }
  }

  /** Somebody has saved something, which may be what it failed on. */
  onSave(): void {
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
      if (fingerprint === this.#fingerprint && !(await this.#isConfigOutdated())) {
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
    const { root, transformer, isStdoutTaken, onFailure } = this.#options;
    const modules = new AppModules(transformer);
    this.#modules = modules;
    this.#natives = new Map();
    const run = new AdminProcess({
      root,
      request,
      hmrPort: this.#hmrPort,
      isStdoutTaken,
      servePipe: (pipe) => modules.serve(pipe),
      onNative: (file) => this.#natives.set(file, digest(file)),
    });
    this.#run = run;
    try {
      const { port, hmrPort } = await run.ready;
      this.#readyAt = performance.now();
      this.#hmrPort = hmrPort;
      this.#publish({ type: 'ready', port });
      void run.exited.then((reason) => this.#onExit(run, reason));
    } catch (error) {
      await run.exited;
      this.#run = undefined;
      const reason =
        error instanceof BootError ? error.reason : { name: 'Error', message: String(error) };
      this.#publish({ type: 'failed', error: reason });
      if (!this.#isClosed) {
        onFailure(reason, 'the admin could not be started');
      }
    }
  }

  #onExit(run: AdminProcess, reason: SerializedError): void {
    if (this.#run !== run || this.#isClosed) {
      return;
    }
    this.#run = undefined;
    const wasStable = performance.now() - this.#readyAt >= STABLE_AFTER_MS;
    // Where it is started at once, requests wait.
    this.#publish(wasStable ? { type: 'starting' } : { type: 'failed', error: reason });
    this.#options.onFailure(reason, 'the admin ended by itself');
    if (wasStable) {
      this.#bringUp();
    }
  }

  async #stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.stop();
  }

  /** Asked only of a run that has evaluated the config: the others have loaded nothing. */
  async #isConfigOutdated(): Promise<boolean> {
    const isNativeChanged = [...this.#natives].some(([file, content]) => digest(file) !== content);
    return isNativeChanged || ((await this.#modules?.isOutdated()) ?? false);
  }

  #publish(state: AdminState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

/** The same as long as a new run would be given what this one was. */
function fingerprintOf({ env, ...request }: AdminRequest, root: string): string {
  // A function may read anything.
  const isRead = (name: string) => request.functions.length > 0 || ADMIN_ENV.test(name);
  const settings = Object.entries(env).filter(([name]) => isRead(name));
  return JSON.stringify([request, settings.sort(), lockfiles(root).map(digest)]);
}

function digest(file: string): string {
  try {
    return createHash('sha1').update(readFileSync(file)).digest('base64');
  } catch {
    return '';
  }
}
