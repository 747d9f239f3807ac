import type { Activation, PreparedApp, Trial } from '../../protocol/messages.ts';
import { describeReason } from '../../protocol/reason.ts';
import type { ForkedExit } from '../../shared/process/forked-process.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import type { Transformer } from '../../vite/transformer.ts';
import type { Listener } from '../port/listener.ts';
import { completeLocation } from '../terminal/error-location.ts';
import { describePlace, describeWarning, isDebugEnabled } from '../terminal/wording.ts';
import { AdminProcess } from './admin-process.ts';
import { AdminSupervisor } from './admin-supervisor.ts';
import { AppModules } from './app-modules.ts';
import type { AppProcess } from './app-process.ts';
import { SpareKeeper } from './spare-keeper.ts';
import { Supervisor } from './supervisor.ts';

export interface ProcessesOptions {
  root: string;
  transformer: Transformer;
  listener: Pick<Listener, 'forwardTo' | 'hold' | 'fail' | 'isBusy'>;
  fork(role: 'app' | 'spare', activation: Activation, trial?: Trial): AppProcess;
  /** What the next app starts with: its environment and reloaders. */
  activation(): Activation;
  /** The first app, if it is loading already, as a spare. */
  first: AppProcess | undefined;
  hasSpare: boolean;
  /** Whether stdout is for events only. */
  isStdoutTaken: boolean;
  /** Whether an update needs the processor. */
  isUpdating(): boolean;
  /** Overrides the feature flag `backend_hmr`. */
  hmr: boolean | undefined;
  /** Called with files that the app uses, again and again. */
  onUsed(files: string[]): void;
  /** A module has called `import.meta.hot.invalidate`: it cannot take its own update after all. */
  onInvalidate(id: string): void;
  events: ProcessEvents;
}

export interface ProcessEvents {
  /** The app serves for the first time, or again after it was down. */
  ready(app: { pid: number; isHmrOn: boolean; bootMs: number }): void;
  failure(error: SerializedError, headline: string): void;
  note(note: string): void;
  /** Something needs the user's attention, though the app goes on. */
  warning(text: string): void;
  exit(exit: ForkedExit, willRestart: boolean): void;
}

/** The processes of a project beside the host: the app, its spare and the admin process. */
export class Processes {
  readonly supervisor: Supervisor;
  readonly spares: SpareKeeper;
  readonly admin: AdminSupervisor;
  readonly #options: ProcessesOptions;
  /** The sessions that a stopping app leaves to the next one; see `Sessions`. */
  #sessions: Record<string, string> = {};
  /** The latest app that has asked for an admin, and forwards requests to it. */
  #adminClient: AppProcess | undefined;
  readonly #modules = new WeakMap<AppProcess, AppModules>();
  /** The modules of the app that serves, or of the latest app that has tried to. */
  #currentModules: AppModules;
  #prepared: PreparedApp = { backendHmr: false, adminPath: null };
  /** When the latest app process was made; `performance.now()`. */
  #spawnedAt = 0;
  /** Whether `ready` was called for the app that serves; cleared when no app runs. */
  #isAnnounced = false;

  constructor(options: ProcessesOptions) {
    this.#options = options;
    this.#currentModules = new AppModules(options.transformer);
    this.spares = this.#createSpares();
    this.supervisor = this.#createSupervisor();
    this.admin = this.#createAdmin();
  }

  /** Modules of the app that serves, or of the latest app that failed. */
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

  wakeSpare(): void {
    if (this.#options.hasSpare) {
      this.spares.wake();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.supervisor.close(), this.spares.close()]);
    await this.admin.close();
  }

  /** Ends the app without waiting for its requests. */
  kill(): void {
    this.supervisor.kill();
    this.admin.kill();
    void this.spares.close();
  }

  #createSpares(): SpareKeeper {
    const { fork, first, activation, isUpdating, listener, events } = this.#options;
    return new SpareKeeper({
      fork: () => fork('spare', activation()),
      first,
      activation,
      listPackages: async () => (await this.supervisor.app?.listPackages()) ?? null,
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
          this.#announce(app);
          if (app.wasSpare) {
            this.spares.noteUse();
          }
          this.wakeSpare();
        },
        hold: (reason) => listener.hold(describeReason(reason)),
        fail: (error) => {
          this.#isAnnounced = false;
          listener.fail(error);
        },
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

  /** Looks after a process that is to be the next app. */
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
    // Once the new app is ready, it alone knows who is logged in.
    app.ready.then(
      () => {
        this.#sessions = {};
      },
      () => {},
    );
    this.#modules.set(app, modules);
    if (!this.supervisor.app) {
      this.#currentModules = modules;
    }
    return app;
  }

  #announce({ process }: AppProcess): void {
    if (!this.#isAnnounced) {
      this.#isAnnounced = true;
      const pid = process.pid ?? 0;
      const bootMs = performance.now() - this.#spawnedAt;
      this.#options.events.ready({ pid, isHmrOn: this.isHmrOn, bootMs });
    }
  }
}
