import { type ChildProcess, fork } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { AdminRequest } from '../../protocol/admin.ts';
import { CHANNEL_FD, LIFELINE_FD, PACE } from '../../protocol/channel.ts';
import {
  APP_OPTIONS_ENV,
  type AppOptions,
  type AppToHost,
  type HostToApp,
  type LoadedReport,
  type PackageList,
  type PreparedApp,
  type ReloaderModule,
  type ReloadOutcome,
  type ReloadPlan,
} from '../../protocol/messages.ts';
import type { RestartReason } from '../../protocol/reason.ts';
import { createDeferred } from '../../shared/deferred.ts';
import { killTree } from '../../shared/kill-tree.ts';
import { describeExit, type ProcessExit } from '../../shared/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';

export interface AppProcessOptions {
  child: AppOptions;
  /** The complete environment; nothing else is inherited. */
  env: NodeJS.ProcessEnv;
  nodeArgs: string[];
  /** Whether the app's own stdout goes to our stderr, because stdout carries JSON. */
  isStdoutTaken: boolean;
}

/** What may have changed since a spare was made. */
export interface Activation {
  /** The complete environment; nothing else is inherited. */
  env: NodeJS.ProcessEnv;
  reloaders: ReloaderModule[];
}

/** Who looks after an app that is to serve. */
export interface AppKeeper {
  servePipe(pipe: Duplex): void;
  onLoaded(report: LoadedReport): void;
  onWarning(error: SerializedError): void;
  /** A module has called `import.meta.hot.invalidate`. */
  onInvalidate(id: string): void;
  /** Sessions of the app before this one; asked for when this one starts. */
  sessions(): Record<string, string>;
  /** Comes when the app stops. */
  onSessions(sessions: Record<string, string>): void;
  onAdminWanted(request: AdminRequest | undefined): void;
  onAdminRetry(): void;
}

export interface AppExit extends ProcessExit {
  /** The last lines that the app wrote to stderr. */
  stderr: string;
}

/** The app's process is there, but does nothing any more. */
export interface Hang {
  type: 'hung';
  reason: RestartReason;
}

/** The app could not get ready. */
export class BootError extends Error {
  override readonly name = 'BootError';
  readonly reason: SerializedError;

  constructor(reason: SerializedError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** For what a module awaits at its top level, or a module's loader: only an endless wait takes longer. */
const RELOAD_LIMIT_MS = 20_000;
/** An event loop that stands still this long is in an endless loop: evaluating 1,000 modules takes 1 s. */
const HANG_LIMIT_MS = 2_500;
/** While it boots, an app stands still for seconds at a time: it loads thousands of files. */
const BOOT_HANG_LIMIT_MS = 20_000;
/** While Medusa writes types, which it does in one go. */
const BUSY_HANG_LIMIT_MS = 10_000;
/** As for a boot, once a new save is there that may be the way out. */
const IMPATIENT_BOOT_HANG_LIMIT_MS = 6_000;
/** From the last module that it asked for: what comes then are Medusa's own loaders, and what those wait for. */
const BOOT_LIMIT_MS = 120_000;
/** The same, once a new save is there that may be the way out. */
const IMPATIENT_BOOT_LIMIT_MS = 30_000;
const PING_INTERVAL_MS = 250;
/** Work of its own never keeps this process from a timer for so long. */
const MAX_LATE_MS = 1_000;
/** From when the app hears that it is to stop until SIGKILL, as `tsx watch` and users expect. */
const STOP_LIMIT_MS = 5_000;
/** What a process wrote before it died is in the pipe already; its own children may hold that open for ever. */
const STDERR_WAIT_MS = 250;
const STDERR_TAIL_CHARS = 4_000;

/** A spare turned out not to be what a new process would be: that one has to be made after all. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
  /** Whether it had been prepared: only then can the packages be to blame that were loaded ahead. */
  readonly wasPrepared: boolean;

  constructor(reason: string, { wasPrepared = false }: { wasPrepared?: boolean } = {}) {
    super(reason);
    this.wasPrepared = wasPrepared;
  }
}

/** One run of the app: a child process, from fork to exit. */
export class AppProcess {
  readonly process: ChildProcess;
  /** Of a spare: settles when it has loaded what it was told to; never rejects, and never settles if it fails. */
  readonly preloaded: Promise<number>;
  /** Settles when Medusa is loaded and the config evaluated. @throws BootError, UnfitError */
  readonly prepared: Promise<PreparedApp>;
  /** Settles when the app serves. @throws BootError, UnfitError */
  readonly ready: Promise<void>;
  readonly exited: Promise<AppExit>;
  readonly #waiting = new Map<number, (outcome: ReloadOutcome) => void>();
  /** Set when the app is to serve, which a spare is not yet. */
  #keeper: AppKeeper | undefined;
  /** What it has loaded before that. */
  readonly #reports: LoadedReport[] = [];
  /** What to do with the packages that the app has listed. */
  #onPackages: ((packages: PackageList | null) => void) | undefined;
  /** Whether it was made before it was needed. */
  readonly wasSpare: boolean;
  /** False for a spare until it is activated. */
  #isActive: boolean;
  /** What a spare has written to stderr; said when it becomes the app, if it does. */
  #held: Buffer[] = [];
  #nextId = 1;
  /** When the app last showed that its event loop turns; `performance.now()`. */
  #answeredAt = performance.now();
  /** When it last got further on its way to be ready; `performance.now()`. */
  #progressedAt = performance.now();
  readonly #fail: (error: SerializedError) => void;
  readonly #watchBoot: () => void;
  /** Set while Medusa's own code may keep it from answering. */
  #isBusy = false;
  /** When it was last asked for a sign; `performance.now()`. */
  #askedAt = performance.now();
  /** How long the app may stand still while it is brought up. */
  #bootHangLimitMs = BOOT_HANG_LIMIT_MS;
  /** How long it may take from the last sign of progress until it is ready. */
  #bootLimitMs = BOOT_LIMIT_MS;
  #stderr = '';
  #hasExited = false;
  #isKilled = false;
  /** Set by the first request to stop. */
  #stopping: Promise<AppExit> | undefined;
  /** Under a debugger an app may stand still for as long as it likes. */
  #isWatched: boolean;

  constructor(options: AppProcessOptions) {
    const { env, nodeArgs, isStdoutTaken } = options;
    this.#isWatched = options.child.inspect === undefined;
    this.wasSpare = options.child.isSpare;
    this.#isActive = !options.child.isSpare;
    this.process = fork(new URL('../../app/main.js', import.meta.url), [], {
      cwd: options.child.root,
      env: { ...env, [APP_OPTIONS_ENV]: JSON.stringify(options.child) },
      execArgv: nodeArgs,
      stdio: ['ignore', isStdoutTaken ? 2 : 'inherit', 'pipe', 'ipc', 'pipe', 'pipe'],
    });
    // Its end is how the child's watchdog learns that the host is gone.
    this.#lifeline?.on('error', () => {}).resume();
    this.process.stderr?.on('data', (data: Buffer) => {
      if (this.#isActive) {
        process.stderr.write(data);
      } else {
        this.#held.push(data);
      }
      this.#stderr = (this.#stderr + data.toString('utf8')).slice(-STDERR_TAIL_CHARS);
    });

    const preloaded = createDeferred<number>();
    const prepared = createDeferred<PreparedApp>();
    const ready = createDeferred<void>();
    const exited = createDeferred<AppExit>();
    this.preloaded = preloaded.promise;
    this.prepared = prepared.promise;
    this.ready = ready.promise;
    this.exited = exited.promise;
    // Who does not wait for one of them is told by the other.
    this.prepared.catch(() => {});
    this.ready.catch(() => {});

    let isPrepared = false;
    const reject = (reason: BootError | UnfitError) => {
      prepared.reject(reason);
      ready.reject(reason);
    };
    const fail = (error: SerializedError) => reject(new BootError(error));
    this.#fail = fail;
    this.#watchBoot = () => {
      this.#noteProgress();
      const watchdog = this.#watch(() => {
        if (this.#isHanging(this.#bootHangLimitMs)) {
          this.#giveUp('The app does not answer, as in an endless loop.');
        } else if (this.#isStuck()) {
          this.#giveUp(
            `The app has not become ready for ${Math.round(this.#bootLimitMs / 1000)} s: something that it waits for at its start may never come.`,
          );
        }
      });
      const calm = () => clearInterval(watchdog);
      this.ready.then(calm, calm);
    };
    if (this.#isActive) {
      this.#watchBoot();
    }
    this.process.on('message', (message: AppToHost): unknown => {
      switch (message.type) {
        case 'preloaded':
          return preloaded.resolve(message.files);
        case 'unfit':
          return reject(new UnfitError(message.reason, { wasPrepared: isPrepared }));
        case 'packages':
          return this.#onPackages?.(message.packages);
        case 'prepared':
          isPrepared = true;
          this.#noteProgress();
          return prepared.resolve(message.app);
        case 'ready':
          return ready.resolve();
        case 'boot-failed':
          return fail(message.error);
        case 'hmr-result':
          this.#waiting.get(message.id)?.(message.outcome);
          this.#waiting.delete(message.id);
          return;
        case 'loaded':
          return this.#keeper
            ? this.#keeper.onLoaded(message.loaded)
            : this.#reports.push(message.loaded);
        case 'warning':
          return this.#keeper?.onWarning(message.error);
        case 'invalidate':
          return this.#keeper?.onInvalidate(message.id);
        case 'sessions':
          return this.#keeper?.onSessions(message.sessions);
        case 'admin-wanted':
          return this.#keeper?.onAdminWanted(message.request);
        case 'admin-retry':
          return this.#keeper?.onAdminRetry();
        case 'busy':
          this.#isBusy = message.isBusy;
          return;
        case 'pong':
          return this.#noteSign();
        case 'debugged':
          this.#isWatched = false;
          return;
        default:
          return;
      }
    });
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      this.#hasExited = true;
      const how = describeExit({ code, signal });
      if (this.wasSpare && !this.#isKilled) {
        // Whatever it was, a process that was never a spare will say it better.
        reject(new UnfitError(`it exited ${how}`, { wasPrepared: isPrepared }));
      }
      fail({ name: 'Error', message: `The app exited ${how} before it was ready.` });
      this.#onPackages?.(null);
      const settle = () => {
        exited.resolve({ code, signal, stderr: this.#stderr });
        // Only now, so that nobody acts on it who takes the app for running still.
        for (const reply of this.#waiting.values()) {
          reply({ type: 'restart-needed', reason: { type: 'app-exited', code, signal } });
        }
        this.#waiting.clear();
      };
      const { stderr } = this.process;
      if (code === 0 || !stderr || stderr.closed) {
        settle();
      } else {
        // The last words may still be in the pipe.
        stderr.once('close', settle);
        setTimeout(settle, STDERR_WAIT_MS);
      }
    };
    this.process.on('error', (error) => {
      fail({ name: error.name, message: error.message });
      if (this.process.pid === undefined) {
        // It was never started: no `exit` will come.
        end(null, null);
      }
    });
    this.process.on('exit', end);
  }

  get isAlive(): boolean {
    return !this.#hasExited;
  }

  /** Tells a spare what to load; null for nothing but Medusa itself. */
  preload(packages: PackageList | null): void {
    this.send({ type: 'preload', packages });
  }

  /** To be called once, before the app asks for its first module. */
  keep(keeper: AppKeeper): void {
    this.#keeper = keeper;
    for (const report of this.#reports.splice(0)) {
      keeper.onLoaded(report);
    }
    const pipe = this.process.stdio[CHANNEL_FD] as Duplex;
    // Who waits for modules stands still for as long as the host needs for them.
    pipe.on('data', () => this.#noteProgress());
    keeper.servePipe(pipe);
  }

  /** Tells a spare how fast it may load its packages. */
  setPace(pace: keyof typeof PACE): void {
    this.#lifeline?.write(Uint8Array.of(PACE[pace]));
  }

  /** Tells a spare that it is about to be the next app. */
  anticipate(): void {
    this.send({ type: 'anticipate' });
  }

  /** Makes a spare the next app. */
  activate({ env, reloaders }: Activation): void {
    this.#isActive = true;
    this.setPace('full');
    for (const data of this.#held.splice(0)) {
      process.stderr.write(data);
    }
    this.#watchBoot();
    this.send({ type: 'activate', env: env as Record<string, string>, reloaders });
  }

  /** What a spare should load; null if nothing but Medusa itself. */
  listPackages(): Promise<PackageList | null> {
    return new Promise((resolve) => {
      if (!this.isAlive) {
        resolve(null);
        return;
      }
      this.#onPackages = resolve;
      this.send({ type: 'list-packages' });
    });
  }

  start(): void {
    // The previous app may have taken its time to make way.
    this.#noteProgress();
    this.send({ type: 'start', sessions: this.#keeper?.sessions() ?? {} });
  }

  send(message: HostToApp): void {
    // A child that is gone is noticed by its exit.
    this.process.send?.(message, () => {});
  }

  /** A new save waits for this app to be up: if it stands still, that is noticed sooner from now on. */
  hurry(): void {
    this.#bootHangLimitMs = IMPATIENT_BOOT_HANG_LIMIT_MS;
    this.#bootLimitMs = IMPATIENT_BOOT_LIMIT_MS;
  }

  get #lifeline(): Duplex | null | undefined {
    return (this.process.stdio as (Duplex | null)[])[LIFELINE_FD];
  }

  #noteSign(): void {
    this.#answeredAt = performance.now();
  }

  #noteProgress(): void {
    this.#noteSign();
    this.#progressedAt = this.#answeredAt;
  }

  #isStuck(): boolean {
    return this.#isWatched && performance.now() - this.#progressedAt > this.#bootLimitMs;
  }

  #watch(look: () => void): NodeJS.Timeout {
    this.#askedAt = performance.now();
    return setInterval(look, PING_INTERVAL_MS);
  }

  /** Asks the app for a sign, and judges by when it last gave one. */
  #isHanging(limitMs: number): boolean {
    const now = performance.now();
    const late = now - this.#askedAt - PING_INTERVAL_MS;
    if (late > MAX_LATE_MS) {
      // It was this process that stood still, as on a laptop that slept: what the app has said is unread.
      this.#answeredAt = now;
      this.#progressedAt += late;
    }
    this.#askedAt = now;
    this.send({ type: 'ping', id: this.#nextId++ });
    const limit = this.#isBusy ? Math.max(limitMs, BUSY_HANG_LIMIT_MS) : limitMs;
    return this.#isWatched && performance.now() - this.#answeredAt > limit;
  }

  #giveUp(message: string): void {
    this.#fail({ name: 'Error', message });
    this.kill();
  }

  reload(plan: ReloadPlan): Promise<ReloadOutcome | Hang> {
    const id = this.#nextId++;
    const startedAt = performance.now();
    this.#answeredAt = startedAt;
    return new Promise((resolve) => {
      const settle = (outcome: ReloadOutcome | Hang) => {
        clearInterval(watchdog);
        this.#waiting.delete(id);
        resolve(outcome);
      };
      const watchdog = this.#watch(() => {
        if (this.#isHanging(HANG_LIMIT_MS)) {
          settle({ type: 'hung', reason: { type: 'app-hung' } });
        } else if (this.#isWatched && performance.now() - startedAt > RELOAD_LIMIT_MS) {
          settle({ type: 'hung', reason: { type: 'reload-too-slow', limitMs: RELOAD_LIMIT_MS } });
        }
      });
      this.#waiting.set(id, settle);
      this.send({ type: 'hmr-reload', id, plan });
    });
  }

  /** Asks the app to finish its requests and exit, and ends it if that takes too long or it does not answer. */
  stop(): Promise<AppExit> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<AppExit> {
    if (this.isAlive) {
      this.#noteSign();
      const askedAt = this.#answeredAt;
      // Until it has heard of it, it is only asked for a sign; one at a breakpoint may not give any.
      let heardAt = this.#isWatched ? Number.POSITIVE_INFINITY : askedAt;
      this.send({ type: 'shutdown' });
      const watchdog = this.#watch(() => {
        // One that came to a breakpoint meanwhile may have heard of it, and say no more.
        if (this.#answeredAt > askedAt || !this.#isWatched) {
          heardAt = Math.min(heardAt, this.#answeredAt);
        }
        if (this.#isHanging(HANG_LIMIT_MS) || performance.now() - heardAt > STOP_LIMIT_MS) {
          this.kill();
        }
      });
      await this.exited;
      clearInterval(watchdog);
    }
    return this.exited;
  }

  kill(): void {
    if (this.isAlive && !this.#isKilled) {
      this.#isKilled = true;
      killTree(this.process);
    }
  }
}
