import type { ViteDevServer } from 'vite';
import {
  packageOf,
  sourceFiles,
  topLevelFiles,
  workspaceLockfiles,
} from '../../project/project.ts';
import { tsconfigFiles } from '../../project/tsconfig-files.ts';
import type { PreparedApp, Trial } from '../../protocol/messages.ts';
import { describeReason, type RestartReason } from '../../protocol/reason.ts';
import type { UpdateResult } from '../../protocol/update.ts';
import { RuleBook } from '../../rules/rule-book.ts';
import type { Change } from '../../shared/change.ts';
import { fileOfId, isAbsoluteFile, isInside, relativeToRoot, toPosix } from '../../shared/paths.ts';
import { describeExit } from '../../shared/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { isUnwatched } from '../../vite/headless.ts';
import { Transformer } from '../../vite/transformer.ts';
import type { Listener } from '../port/listener.ts';
import { AdminProcess } from '../processes/admin-process.ts';
import { AdminSupervisor } from '../processes/admin-supervisor.ts';
import type { Activation, AppExit, AppProcess } from '../processes/app-process.ts';
import { SpareKeeper } from '../processes/spare-keeper.ts';
import { Supervisor } from '../processes/supervisor.ts';
import { completeLocation } from '../terminal/error-location.ts';
import { describePlace, describeWarning, isDebugEnabled } from '../terminal/wording.ts';
import { AppModules } from './app-modules.ts';
import { createBatch } from './batch.ts';
import { FileWatch } from './file-watch.ts';
import { UpdateQueue } from './update-queue.ts';
import { ViteConfig } from './vite-config.ts';

export interface UpdatesOptions {
  root: string;
  vite: ViteDevServer;
  listener: Listener;
  /** Makes an app, or a spare one, or one for a trial. */
  fork(role: 'app' | 'spare', activation: Activation, trial?: Trial): AppProcess;
  /** The first app, if it is on its way already, as a spare. */
  first: AppProcess | undefined;
  /** Whether there is to be a spare. */
  hasSpare: boolean;
  /** Complete environment of the next app, before its `.env`. */
  env(): NodeJS.ProcessEnv;
  /** Whether stdout is for events only. */
  isStdoutTaken: boolean;
  /** Overrides the feature flag. */
  hmr: boolean | undefined;
  /** Files that somebody else sees to. */
  isForeign(file: string): boolean;
  events: UpdatesEvents;
}

export interface UpdatesEvents {
  /** The app serves for the first time, or again after it was down. */
  ready(app: { pid: number; isHmrOn: boolean; bootMs: number }): void;
  update(result: UpdateResult): void;
  failure(error: SerializedError, headline: string): void;
  /** A word for the user that belongs to an update. */
  note(note: string): void;
  /** Something that the user has to mend, though the app goes on. */
  warning(text: string): void;
  exit(exit: AppExit, willRestart: boolean): void;
}

/** The parent process: watches, decides, and keeps the app up to date, hot or by a restart. */
export class Updates {
  readonly #options: UpdatesOptions;
  readonly #transformer: Transformer;
  readonly #supervisor: Supervisor;
  readonly #spares: SpareKeeper;
  readonly #queue: UpdateQueue;
  readonly #rules: RuleBook;
  readonly #viteConfig: ViteConfig;
  readonly #admin: AdminSupervisor;
  /** What an app that stopped has left for the next; `Sessions`. */
  #sessions: Record<string, string> = {};
  /** The app that was the last to ask for an admin: it forwards requests there. */
  #adminClient: AppProcess | undefined;
  #watch: FileWatch | undefined;
  readonly #modules = new WeakMap<AppProcess, AppModules>();
  /** Modules of the app that serves, or was the last to try. */
  #current: AppModules;
  #prepared: PreparedApp = { backendHmr: false, adminPath: null };
  /** What the sources are compiled with, as it was before a change. */
  #tsconfigs: string[] = [];
  /** Files outside of what Vite watches by itself, which a new watcher would not know of. */
  readonly #watchedBesides = new Set<string>();
  /** When the latest app process was made; `performance.now()`. */
  #spawnedAt = 0;
  /** Whether `ready` was said of the app that serves; cleared when it is gone. */
  #isAnnounced = false;

  constructor(options: UpdatesOptions) {
    const { root, vite, listener } = options;
    this.#options = options;
    this.#rules = new RuleBook({
      root,
      config: () => vite.config,
      warn: (problem) => options.events.warning(problem),
    });
    this.#viteConfig = new ViteConfig({
      root,
      vite,
      tsconfigs: () => this.#tsconfigs,
      onRestarted: (configuredAt) => this.followVite(configuredAt),
      onTsconfig: () => this.#watchTsconfigs(),
    });
    this.#transformer = new Transformer(vite, root);
    this.#current = new AppModules(this.#transformer);
    const activation = () => ({ env: options.env(), reloaders: this.#rules.current.reloaders });
    this.#spares = new SpareKeeper({
      fork: () => options.fork('spare', activation()),
      first: options.first,
      activation,
      listPackages: async () => (await this.#supervisor.app?.listPackages()) ?? null,
      isBusy: () => this.#watch?.isPending || !this.#queue.isIdle || listener.isBusy,
      log: (line) => {
        if (isDebugEnabled('spare')) {
          options.events.note(line);
        }
      },
    });
    this.#supervisor = new Supervisor({
      gate: {
        forwardTo: (app) => {
          listener.forwardTo(app.process);
          if (app.wasSpare) {
            this.#spares.noteUse();
          }
          this.#wakeSpare();
        },
        hold: (reason) => listener.hold(describeReason(reason)),
        fail: (error) => listener.fail(error),
      },
      spawn: () => this.#keep(this.#spares.take() ?? options.fork('app', activation())),
      respawn: (unfit) => {
        this.#spares.noteUnfit(unfit);
        return this.#keep(options.fork('app', activation()));
      },
      tryOut: (trial) => this.#keep(options.fork('app', activation(), trial)),
      onServing: (app, prepared) => {
        this.#prepared = prepared;
        this.#current = this.#modules.get(app) ?? this.#current;
      },
      onCrash: (exit, willRestart) => {
        this.#isAnnounced = false;
        options.events.exit(exit, willRestart);
      },
      onRecovered: (result) => {
        if (result.type === 'restarted') {
          this.#announce();
        } else {
          options.events.failure(result.error, 'the app could not be started again');
        }
      },
    });
    this.#admin = new AdminSupervisor({
      root,
      spawn: (request, hmrPort) =>
        new AdminProcess({
          root,
          transformer: this.#transformer,
          isStdoutTaken: options.isStdoutTaken,
          request,
          hmrPort,
        }),
      onState: (state) => this.#adminClient?.send({ type: 'admin', state }),
      onFailure: (error, headline) => options.events.failure(error, headline),
      onNote: (note) => options.events.note(note),
    });
    this.#queue = new UpdateQueue({
      root,
      rules: () => this.#rules.current.rules,
      transformer: this.#transformer,
      supervisor: this.#supervisor,
      modules: () => this.#current,
      isHmrOn: () => this.isHmrOn,
      updateVite: (changes, batch) => {
        this.#dropSpareFor(changes);
        return this.#viteConfig.update(changes, batch);
      },
      filesSettled: async () => {
        this.#spares.anticipate();
        await this.#watch?.settled();
      },
      onResult: (result) => {
        if (result.type === 'restarted' && !this.#isAnnounced) {
          this.#announce();
        }
        this.#isAnnounced &&= this.#supervisor.app !== undefined;
        if (this.#supervisor.app) {
          // A restart that failed has used the spare up.
          this.#wakeSpare();
        }
        options.events.update(result);
      },
      onIdle: () => {
        if (!this.#watch?.isPending) {
          this.#supervisor.app?.send({ type: 'release' });
        }
      },
      onNote: (note) => options.events.note(note),
    });
  }

  get isHmrOn(): boolean {
    return this.#options.hmr ?? this.#prepared.backendHmr;
  }

  /** Where the dashboard is served; null if it is not. */
  get adminPath(): string | null {
    return this.#prepared.adminPath;
  }

  /**
   * Brings the app up for the first time; when that fails, it returns why, and the next save tries again.
   * @param known files whose present content is in what the app is about to load, and was told of
   */
  async start(known: string[] = []): Promise<SerializedError | undefined> {
    const { root } = this.#options;
    this.#listen(known);
    void this.#transformer.warmUp(sourceFiles(root));
    const result = await this.#supervisor.restart({ type: 'start' });
    if (result.type === 'restarted') {
      this.#announce();
      return undefined;
    }
    return result.error;
  }

  /** Whether a change of this file is one for Vite itself: its config, and what sources are compiled with. */
  isReadByVite(file: string): boolean {
    const { configFile, configFileDependencies } = this.#options.vite.config;
    return [configFile, ...configFileDependencies, ...tsconfigFiles(this.#options.root)].includes(
      file,
    );
  }

  /** Takes files as saved just now. */
  catchUp(files: string[]): void {
    if (files.length > 0) {
      const changes = files.map((file): Change => ({ file, change: 'update' }));
      this.#queue.add(createBatch(changes));
    }
  }

  /** A restart that nobody saved a file for. */
  restart(reason: RestartReason): Promise<void> {
    // Who asks for one may have doubts about everything.
    this.#spares.drop(describeReason(reason));
    return this.#queue.restart(reason);
  }

  /**
   * Vite was restarted, and has a new watcher.
   * @param configuredAt when it began to read its config; `performance.now()`
   */
  followVite(configuredAt: number): void {
    const { vite } = this.#options;
    this.#viteConfig.noteRestart(configuredAt);
    this.#transformer.recover(this.#current.ids);
    this.#watchProject();
    vite.watcher.add([...this.#watchedBesides]);
    this.#watch?.follow(vite.watcher);
  }

  /** Watches no more. @returns saved files that nothing was said of */
  stopWatching(): string[] {
    const touched = this.#watch?.close() ?? [];
    // Vite may be about to restart, with another watcher to follow.
    this.#watch = undefined;
    return [...touched, ...this.#queue.unfinished];
  }

  async close(): Promise<void> {
    this.stopWatching();
    await Promise.all([this.#supervisor.close(), this.#spares.close()]);
    await this.#admin.close();
  }

  /** Ends the app without waiting for its requests. */
  kill(): void {
    this.#supervisor.kill();
    this.#admin.kill();
    this.#spares.kill();
  }

  /** Makes a process the next app. */
  #keep(app: AppProcess): AppProcess {
    const { root } = this.#options;
    this.#spawnedAt = performance.now();
    const modules = new AppModules(this.#transformer, (files) => this.#watchPackages(files));
    app.keep({
      servePipe: (pipe) => modules.serve(pipe),
      onLoaded: (report) => {
        modules.add(report);
        this.#watchPackages(report.natives);
      },
      onWarning: (error) => {
        const completed = completeLocation(error, root);
        const place = describePlace(completed, root);
        this.#options.events.warning(describeWarning(completed, place));
      },
      onInvalidate: (id) => {
        const change: Change = { file: fileOfId(id), change: 'update', isForced: true };
        this.#queue.add(createBatch([change]));
      },
      sessions: () => this.#sessions,
      onSessions: (sessions) => {
        this.#sessions = sessions;
      },
      onAdminWanted: (request) => {
        this.#adminClient = app;
        this.#admin.want(request);
      },
      onAdminRetry: () => this.#admin.retry(),
    });
    // From now on it alone knows who is logged in.
    app.ready.then(
      () => {
        this.#sessions = {};
      },
      () => {},
    );
    this.#modules.set(app, modules);
    if (!this.#supervisor?.app) {
      this.#current = modules;
    }
    return app;
  }

  #listen(known: string[]): void {
    const { root, vite, isForeign } = this.#options;
    const lockfiles = workspaceLockfiles(root);
    this.#watchProject();
    this.#watchBesides(lockfiles);
    this.#watchTsconfigs();
    this.#watch = new FileWatch({
      events: vite.watcher,
      known: [...topLevelFiles(root), ...lockfiles, ...this.#tsconfigs, ...known],
      isWatched: (file) => !isUnwatched(root, file) && !isForeign(file),
      loaded: () => this.#current.files,
      present: () => [...sourceFiles(root), ...topLevelFiles(root)],
      onFirst: (file) => this.#onTouched(file),
      onBatch: (batch) => {
        this.#spares.stir();
        this.#queue.add(batch);
        this.#admin.onSave();
      },
    });
  }

  #onTouched(file: string): void {
    const { app } = this.#supervisor;
    app?.send({ type: 'hold' });
    this.#spares.giveWay();
    // Vite hears of the file too, and forgets what it knew of it within this turn of the event loop.
    setImmediate(() => {
      // A pass that runs works with what was there when it began.
      if (app && this.#queue.isIdle) {
        this.#transformer.anticipate(file);
      }
    });
  }

  /** A front end beside the backend may well be all that Vite looks at. */
  #watchProject(): void {
    const { root, vite } = this.#options;
    if (!isInside(toPosix(vite.config.root), `${root}/`)) {
      vite.watcher.add(root);
    }
  }

  /** Vite watches the project, and what it has transformed itself. */
  #watchBesides(files: string[]): void {
    // Each app reports the same ones again, and the watcher would note each once more.
    const fresh = files.filter((file) => !this.#watchedBesides.has(file));
    for (const file of fresh) {
      this.#watchedBesides.add(file);
    }
    this.#options.vite.watcher.add(fresh);
  }

  /** Vite watches a file out there as such, and so would miss those that come, or come back. */
  #watchPackages(files: string[]): void {
    const { root } = this.#options;
    const outside = files.filter((file) => isAbsoluteFile(file) && !isInside(root, file));
    this.#watchBesides([...new Set(outside.map((file) => packageOf(root, file)))]);
  }

  #watchTsconfigs(): void {
    const { root } = this.#options;
    this.#tsconfigs = tsconfigFiles(root);
    this.#watchBesides(this.#tsconfigs.filter((file) => !isInside(root, file)));
  }

  #wakeSpare(): void {
    if (this.#options.hasSpare) {
      this.#spares.wake();
    }
  }

  /** A spare knows neither project files nor `.env`. What else is saved may be about the packages that it has. */
  #dropSpareFor(changes: Change[]): void {
    const { root } = this.#options;
    const odd = changes.find(
      ({ file }) => this.#current.isNative(file) || PACKAGE_SETTINGS.test(file),
    );
    if (odd) {
      this.#spares.drop(`${relativeToRoot(root, odd.file)} changed`);
    }
  }

  #announce(): void {
    this.#isAnnounced = true;
    const pid = this.#supervisor.app?.process.pid ?? 0;
    const bootMs = performance.now() - this.#spawnedAt;
    this.#options.events.ready({ pid, isHmrOn: this.isHmrOn, bootMs });
  }
}

/** What says which packages there are, and how they and the project are read. */
const PACKAGE_SETTINGS =
  /\/(?:package(?:-lock)?\.json|npm-shrinkwrap\.json|\.npmrc|yarn\.lock|\.yarnrc\.yml|\.pnp\.[cm]js|pnpm-lock\.yaml|pnpm-workspace\.yaml|bun\.lockb?|tsconfig[^/]*\.json|vite\.config\.[cm]?[jt]s)$/;

export function describeCrash(exit: AppExit, willRestart: boolean): SerializedError {
  const next = willRestart ? 'It is started again.' : 'The next save starts it again.';
  const lines = exit.stderr.trim().split('\n');
  const tail = lines
    .filter((line) => !NATIVE_STACK.test(line))
    .slice(-TAIL_LINES)
    .join('\n');
  return {
    name: 'Error',
    message: `The app exited ${describeExit(exit)}. ${next}${tail ? `\n${tail}` : ''}`,
  };
}

const TAIL_LINES = 8;
/** What V8 prints below `FATAL ERROR: … JavaScript heap out of memory`: it says nothing to anyone here. */
const NATIVE_STACK = /^\s*\d+: 0x|^-+ (?:Native|JS) stack|^\s*$/i;
