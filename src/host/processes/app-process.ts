import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { AdminRequest } from '../../protocol/admin.ts';
import { CHANNEL_FD, LIFELINE_FD, PACE } from '../../protocol/channel.ts';
import {
  type Activation,
  APP_OPTIONS_ENV,
  type AppOptions,
  type AppReplies,
  type AppToHost,
  type HostToApp,
  type LoadedReport,
  type PackageList,
  type PreparedApp,
  type ReloadOutcome,
  type ReloadPlan,
} from '../../protocol/messages.ts';
import { createDeferred } from '../../shared/deferred.ts';
import type { ForkedExit, ForkedProcess } from '../../shared/process/forked-process.ts';
import { describeExit } from '../../shared/process/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { AppWatchdog } from './app-watchdog.ts';
import { BootError, type Hang, UnfitAppError } from './process-failure.ts';
import { forkProjectProcess } from './project-process.ts';

export interface AppProcessOptions {
  app: AppOptions;
  /** The complete environment; nothing else is inherited. */
  env: NodeJS.ProcessEnv;
  nodeArgs: string[];
  /** Whether the app's stdout goes to the host's stderr, because the host's stdout carries JSON. */
  isStdoutTaken: boolean;
}

/** Looks after an app that is to serve. */
export interface AppKeeper {
  servePipe(pipe: Duplex): void;
  onLoaded(report: LoadedReport): void;
  onWarning(error: SerializedError): void;
  /** A module has called `import.meta.hot.invalidate`. */
  onInvalidate(id: string): void;
  /** Returns the sessions of the previous app; called when this one starts. */
  sessions(): Record<string, string>;
  /** Called when the app stops. */
  onSessions(sessions: Record<string, string>): void;
  onAdminWanted(request: AdminRequest | undefined): void;
  onAdminRetry(): void;
}

/** One run of the app, in phases: preloaded (a spare only), prepared, ready, exited. */
export class AppProcess {
  readonly #preloaded = createDeferred<number>();
  readonly #prepared = createDeferred<PreparedApp>();
  readonly #ready = createDeferred<void>();
  /** Resolves to the number of files once a spare has loaded its packages; never settles if that fails. */
  readonly preloaded: Promise<number> = this.#preloaded.promise;
  /** Settles when Medusa is loaded and the config evaluated. @throws BootError, UnfitAppError */
  readonly prepared: Promise<PreparedApp> = this.#prepared.promise;
  /** Settles when the app serves. @throws BootError, UnfitAppError */
  readonly ready: Promise<void> = this.#ready.promise;
  readonly exited: Promise<ForkedExit>;
  readonly wasSpare: boolean;
  readonly #forked: ForkedProcess<HostToApp, AppToHost, AppReplies>;
  readonly #watchdog: AppWatchdog;
  #isPrepared = false;
  /** False for a spare until it is activated. */
  #isActive: boolean;
  /** The stderr of a spare, printed when it becomes the app. */
  readonly #heldOutput: Buffer[] = [];
  /** Unset while the process is a spare. */
  #keeper: AppKeeper | undefined;
  /** Reports that came before there was a keeper. */
  readonly #earlyReports: LoadedReport[] = [];
  #isStopping = false;

  constructor({ app, env, nodeArgs, isStdoutTaken }: AppProcessOptions) {
    this.wasSpare = app.isSpare;
    this.#isActive = !app.isSpare;
    // A failure rejects both promises, and some callers wait for one of them only.
    this.prepared.catch(() => {});
    this.ready.catch(() => {});
    this.#watchdog = new AppWatchdog({
      ping: () => void this.send({ type: 'ping' }),
      isDebugged: app.inspect !== undefined,
    });
    this.#forked = forkProjectProcess(
      {
        file: new URL('../../app/main.js', import.meta.url),
        cwd: app.root,
        env: { ...env, [APP_OPTIONS_ENV]: JSON.stringify(app) },
        nodeArgs,
        isStdoutTaken,
        onStderr: (data) => {
          if (this.#isActive) {
            process.stderr.write(data);
          } else {
            this.#heldOutput.push(data);
          }
        },
      },
      {
        preloaded: ({ files }) => this.#preloaded.resolve(files),
        prepared: ({ app: prepared }) => {
          this.#isPrepared = true;
          this.#watchdog.noteProgress();
          this.#prepared.resolve(prepared);
        },
        ready: () => this.#ready.resolve(),
        unfit: ({ reason }) => this.#failAsSpare(reason),
        'boot-failed': ({ error }) => this.#fail(new BootError(error)),
        loaded: ({ loaded }) => {
          if (this.#keeper) {
            this.#keeper.onLoaded(loaded);
          } else {
            this.#earlyReports.push(loaded);
          }
        },
        warning: ({ error }) => this.#keeper?.onWarning(error),
        invalidate: ({ id }) => this.#keeper?.onInvalidate(id),
        sessions: ({ sessions }) => this.#keeper?.onSessions(sessions),
        'admin-wanted': ({ request }) => this.#keeper?.onAdminWanted(request),
        'admin-retry': () => this.#keeper?.onAdminRetry(),
        busy: ({ isBusy }) => this.#watchdog.noteBusy(isBusy),
        debugged: () => this.#watchdog.noteDebugger(),
        pong: () => this.#watchdog.noteSign(),
      },
    );
    this.exited = this.#forked.exited;
    void this.exited.then((exit) => this.#failUnlessReady(exit));
    if (this.#isActive) {
      this.#watchBoot();
    }
  }

  /** Node's own object, for handing connections over. */
  get process(): ChildProcess {
    return this.#forked.process;
  }

  get isAlive(): boolean {
    return this.#forked.isAlive;
  }

  /** Tells a spare which packages to load; null for nothing but Medusa itself. */
  preload(packages: PackageList | null): void {
    this.send({ type: 'preload', packages });
  }

  /** Tells a spare how fast it may load its packages. */
  setPace(pace: keyof typeof PACE): void {
    this.#forked.pipe(LIFELINE_FD)?.write(Uint8Array.of(PACE[pace]));
  }

  /** Tells a spare that it is about to be the next app. */
  anticipate(): void {
    this.send({ type: 'anticipate' });
  }

  /** Makes a spare the next app. */
  activate(activation: Activation): void {
    this.#isActive = true;
    this.setPace('full');
    for (const data of this.#heldOutput.splice(0)) {
      process.stderr.write(data);
    }
    this.#watchBoot();
    this.send({ type: 'activate', ...activation });
  }

  /** To be called once, before the app asks for its first module. */
  keep(keeper: AppKeeper): void {
    this.#keeper = keeper;
    for (const report of this.#earlyReports.splice(0)) {
      keeper.onLoaded(report);
    }
    const pipe = this.#forked.pipe(CHANNEL_FD);
    if (pipe) {
      // An app that waits for modules stands still while the host transforms them.
      pipe.on('data', () => this.#watchdog.noteProgress());
      keeper.servePipe(pipe);
    }
  }

  start(): void {
    // The previous app may have taken long to stop, while this one had nothing to do.
    this.#watchdog.noteProgress();
    this.send({ type: 'start', sessions: this.#keeper?.sessions() ?? {} });
  }

  /** A change waits for this app to be up: from now on the watchdog gives up sooner on an app that stands still. */
  hurry(): void {
    this.#watchdog.hurry();
  }

  send(message: HostToApp): void {
    void this.#forked.link.send(message);
  }

  async reload(plan: ReloadPlan): Promise<ReloadOutcome | Hang> {
    const hang = createDeferred<Hang>();
    const endWatch = this.#watchdog.watchReload(hang.resolve);
    const outcome = await Promise.race([this.#requestReload(plan), hang.promise]);
    endWatch();
    return outcome;
  }

  /** Lists the packages that a spare should load; null for nothing but Medusa itself. */
  async listPackages(): Promise<PackageList | null> {
    if (!this.isAlive) {
      return null;
    }
    const reply = await this.#forked.link.request({ type: 'list-packages' });
    return reply?.packages ?? null;
  }

  /** Asks the app to finish its requests and exit; kills an app that takes too long or does not answer. */
  stop(): Promise<ForkedExit> {
    if (!this.#isStopping && this.isAlive) {
      this.#isStopping = true;
      this.send({ type: 'shutdown' });
      const endWatch = this.#watchdog.watchStop(() => this.kill());
      void this.exited.then(endWatch);
    }
    return this.exited;
  }

  kill(): void {
    this.#forked.kill();
  }

  async #requestReload(plan: ReloadPlan): Promise<ReloadOutcome> {
    const reply = await this.#forked.link.request({ type: 'hmr-reload', plan });
    if (reply) {
      return reply.outcome;
    }
    const { code, signal } = await this.exited;
    return { type: 'restart-needed', reason: { type: 'app-exited', code, signal } };
  }

  #watchBoot(): void {
    const endWatch = this.#watchdog.watchBoot((message) => {
      this.#fail(new BootError({ name: 'Error', message }));
      this.kill();
    });
    this.ready.then(endWatch, endWatch);
  }

  #failUnlessReady(exit: ForkedExit): void {
    const how = describeExit(exit);
    if (exit.error) {
      const { name, message } = exit.error;
      this.#fail(new BootError({ name, message }));
    } else if (this.wasSpare && !this.#forked.isKilled) {
      // The process that takes its place, never a spare, will show the cause better.
      this.#failAsSpare(`it exited ${how}`);
    }
    const message = `The app exited ${how} before it was ready.`;
    this.#fail(new BootError({ name: 'Error', message }));
  }

  #failAsSpare(reason: string): void {
    this.#fail(new UnfitAppError(reason, { wasPrepared: this.#isPrepared }));
  }

  /** Leaves the phases alone that the app has reached: their promises are settled. */
  #fail(failure: BootError | UnfitAppError): void {
    this.#prepared.reject(failure);
    this.#ready.reject(failure);
  }
}
