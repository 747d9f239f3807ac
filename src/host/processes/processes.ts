import type {
  Activation,
  PreparedApp,
  ReloadOutcome,
  ReloadPlan,
  Trial,
} from '../../protocol/messages.ts';
import { describeReason, type RestartReason } from '../../protocol/reason.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import type { Transformer } from '../../vite/transformer.ts';
import type { Listener } from '../port/listener.ts';
import { completeLocation } from '../terminal/error-location.ts';
import { describePlace, describeWarning, isDebugEnabled } from '../terminal/wording.ts';
import { AdminProcess } from './admin-process.ts';
import { AdminSupervisor } from './admin-supervisor.ts';
import { AppModules } from './app-modules.ts';
import type { AppExit, AppProcess } from './app-process.ts';
import { SpareKeeper } from './spare-keeper.ts';
import { type RestartResult, Supervisor } from './supervisor.ts';

export interface ProcessesOptions {
  root: string;
  transformer: Transformer;
  listener: Pick<Listener, 'forwardTo' | 'hold' | 'fail' | 'isBusy'>;
  /** Makes an app, or a spare one, or one for a trial. */
  fork(role: 'app' | 'spare', activation: Activation, trial?: Trial): AppProcess;
  /** What the next app is to be started with. */
  activation(): Activation;
  /** The first app, if it is on its way already, as a spare. */
  first: AppProcess | undefined;
  /** Whether there is to be a spare. */
  hasSpare: boolean;
  /** Whether stdout is for events only. */
  isStdoutTaken: boolean;
  /** Whether the processor is wanted for changes of files. */
  isUpdating(): boolean;
  /** Overrides the feature flag. */
  hmr: boolean | undefined;
  /** The app uses these files; called again and again. */
  onUsed(files: string[]): void;
  /** A module of the app cannot take its own update after all. */
  onInvalidate(id: string): void;
  events: ProcessEvents;
}

export interface ProcessEvents {
  /** The app serves for the first time, or again after it was down. */
  ready(app: { pid: number; isHmrOn: boolean; bootMs: number }): void;
  failure(error: SerializedError, headline: string): void;
  note(note: string): void;
  /** Something that the user has to mend, though the app goes on. */
  warning(text: string): void;
  exit(exit: AppExit, willRestart: boolean): void;
}

/** The processes of a project beside the host: the app, its spare and the admin process. */
export class Processes {
  readonly spares: SpareKeeper;
  readonly admin: AdminSupervisor;
  readonly #options: ProcessesOptions;
  readonly #supervisor: Supervisor;
  /** What an app that stopped has left for the next; `Sessions`. */
  #sessions: Record<string, string> = {};
  /** The app that was the last to ask for an admin: it forwards requests there. */
  #adminClient: AppProcess | undefined;
  readonly #modules = new WeakMap<AppProcess, AppModules>();
  /** Of the app that serves, or was the last to try. */
  #currentModules: AppModules;
  #prepared: PreparedApp = { backendHmr: false, adminPath: null };
  /** When the latest app process was made; `performance.now()`. */
  #spawnedAt = 0;
  /** Whether `ready` was said of the app that serves; cleared when it is gone. */
  #isAnnounced = false;

  constructor(options: ProcessesOptions) {
    this.#options = options;
    this.#currentModules = new AppModules(options.transformer);
    this.spares = this.#createSpares();
    this.#supervisor = this.#createSupervisor();
    this.admin = this.#createAdmin();
  }

  /** The app that serves; undefined while there is none. */
  get app(): AppProcess | undefined {
    return this.#supervisor.app;
  }

  /** Modules of the app that serves, or of the one that failed last. */
  get modules(): AppModules {
    return this.#currentModules;
  }

  get isHmrOn(): boolean {
    return this.#options.hmr ?? this.#prepared.backendHmr;
  }

  /** Where the dashboard is served; null if it is not. */
  get adminPath(): string | null {
    return this.#prepared.adminPath;
  }

  /** Never rejects. A second call waits for the first. */
  async restart(reason: RestartReason, trial?: Trial): Promise<RestartResult> {
    const result = await this.#supervisor.restart(reason, trial);
    this.#noteRestart(result);
    return result;
  }

  /** @returns undefined if no app runs. */
  reload(plan: ReloadPlan): Promise<ReloadOutcome | undefined> {
    return this.#supervisor.reload(plan);
  }

  /** Settles when no restart is under way. */
  settled(): Promise<void> {
    return this.#supervisor.settled();
  }

  /** Does not wait as long as usual for an app that is being brought up and stands still. */
  hurry(): void {
    this.#supervisor.hurry();
  }

  /** Has a spare made when it has been calm for a while, unless there is one. */
  wakeSpare(): void {
    if (this.#options.hasSpare) {
      this.spares.wake();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#supervisor.close(), this.spares.close()]);
    await this.admin.close();
  }

  /** Ends the app without waiting for its requests. */
  kill(): void {
    this.#supervisor.kill();
    this.admin.kill();
    this.spares.kill();
  }

  #createSpares(): SpareKeeper {
    const { fork, first, activation, isUpdating, listener, events } = this.#options;
    return new SpareKeeper({
      fork: () => fork('spare', activation()),
      first,
      activation,
      listPackages: async () => (await this.app?.listPackages()) ?? null,
      isBusy: () => isUpdating() || listener.isBusy,
      log: (line) => {
        if (isDebugEnabled('spare')) {
          events.note(line);
        }
      },
    });
  }

  #createSupervisor(): Supervisor {
    const { fork, activation, listener, events } = this.#options;
    return new Supervisor({
      gate: {
        forwardTo: (app) => {
          listener.forwardTo(app.process);
          if (app.wasSpare) {
            this.spares.noteUse();
          }
          this.wakeSpare();
        },
        hold: (reason) => listener.hold(describeReason(reason)),
        fail: (error) => listener.fail(error),
      },
      spawn: () => this.#keep(this.spares.take() ?? fork('app', activation())),
      respawn: (unfit) => {
        this.spares.noteUnfit(unfit);
        return this.#keep(fork('app', activation()));
      },
      tryOut: (trial) => this.#keep(fork('app', activation(), trial)),
      onServing: (app, prepared) => {
        this.#prepared = prepared;
        this.#currentModules = this.#modules.get(app) ?? this.#currentModules;
      },
      onCrash: (exit, willRestart) => {
        this.#isAnnounced = false;
        events.exit(exit, willRestart);
      },
      onRecovered: (result) => {
        this.#noteRestart(result);
        if (result.type !== 'restarted') {
          events.failure(result.error, 'the app could not be started again');
        }
      },
    });
  }

  #createAdmin(): AdminSupervisor {
    const { root, transformer, isStdoutTaken, events } = this.#options;
    return new AdminSupervisor({
      root,
      spawn: (request, hmrPort) =>
        new AdminProcess({ root, transformer, isStdoutTaken, request, hmrPort }),
      onState: (state) => this.#adminClient?.send({ type: 'admin', state }),
      onFailure: (error, headline) => events.failure(error, headline),
      onNote: (note) => events.note(note),
    });
  }

  /** Makes a process the next app. */
  #keep(app: AppProcess): AppProcess {
    const { root, transformer, onUsed, onInvalidate, events } = this.#options;
    this.#spawnedAt = performance.now();
    const modules = new AppModules(transformer, onUsed);
    app.keep({
      servePipe: (pipe) => modules.serve(pipe),
      onLoaded: (report) => {
        modules.add(report);
        onUsed(report.natives);
      },
      onWarning: (error) => {
        const completed = completeLocation(error, root);
        events.warning(describeWarning(completed, describePlace(completed, root)));
      },
      onInvalidate,
      sessions: () => this.#sessions,
      onSessions: (sessions) => {
        this.#sessions = sessions;
      },
      onAdminWanted: (request) => {
        this.#adminClient = app;
        this.admin.want(request);
      },
      onAdminRetry: () => this.admin.retry(),
    });
    // From now on it alone knows who is logged in.
    app.ready.then(
      () => {
        this.#sessions = {};
      },
      () => {},
    );
    this.#modules.set(app, modules);
    if (!this.app) {
      this.#currentModules = modules;
    }
    return app;
  }

  #noteRestart(result: RestartResult): void {
    if (result.type === 'down') {
      this.#isAnnounced = false;
    } else if (result.type === 'restarted' && !this.#isAnnounced) {
      this.#isAnnounced = true;
      const pid = this.app?.process.pid ?? 0;
      const bootMs = performance.now() - this.#spawnedAt;
      this.#options.events.ready({ pid, isHmrOn: this.isHmrOn, bootMs });
    }
  }
}
