import type { ViteDevServer } from 'vite';
import { collectRules } from '../../plugins/rules.ts';
import type { ChildOptions, FlagSource } from '../protocol/messages.ts';
import { fileOfId } from '../protocol/paths.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import type { UpdateResult } from '../protocol/update.ts';
import { AppModules } from './app-modules.ts';
import { type AppExit, AppProcess, describeExit } from './app-process.ts';
import { FileWatch } from './file-watch.ts';
import type { Listener } from './listener.ts';
import type { Change } from './planner.ts';
import { sourceFiles, topLevelFiles } from './project.ts';
import { Supervisor } from './supervisor.ts';
import { Transformer } from './transformer.ts';
import { UpdateQueue } from './update-queue.ts';

export interface HostOptions {
  root: string;
  vite: ViteDevServer;
  listener: Listener;
  child: Omit<ChildOptions, 'root' | 'port' | 'host'>;
  /** Complete environment of the app, before its `.env`. */
  env: NodeJS.ProcessEnv;
  nodeArgs: string[];
  isStdoutTaken: boolean;
  /** Overrides the feature flag. */
  hmr: boolean | undefined;
  events: HostEvents;
}

export interface HostEvents {
  /** The app serves for the first time, or again after it was down. */
  ready(app: { pid: number; isHmrOn: boolean }): void;
  update(result: UpdateResult): void;
  failure(error: SerializedError, headline: string): void;
  /** A word for the user that belongs to an update. */
  note(note: string): void;
  exit(exit: AppExit, willRestart: boolean): void;
}

/** The parent process: watches, decides, and keeps the app up to date, hot or by a restart. */
export class Host {
  readonly #options: HostOptions;
  readonly #transformer: Transformer;
  readonly #supervisor: Supervisor;
  readonly #queue: UpdateQueue;
  #watch: FileWatch | undefined;
  readonly #modules = new WeakMap<AppProcess, AppModules>();
  /** Modules of the app that serves, or was the last to try. */
  #current: AppModules;
  #flag: FlagSource = { value: false, from: 'default' };

  constructor(options: HostOptions) {
    const { root, vite, listener } = options;
    this.#options = options;
    this.#transformer = new Transformer(vite, root);
    this.#current = new AppModules(this.#transformer);
    this.#supervisor = new Supervisor({
      gate: {
        forwardTo: (app) => listener.forwardTo(app.process),
        hold: (reason) => listener.hold(reason),
        fail: (error) => listener.fail(error),
      },
      spawn: () => this.#spawn(),
      onServing: (app, flag) => {
        this.#flag = flag;
        this.#current = this.#modules.get(app) ?? this.#current;
      },
      onCrash: (exit, willRestart) => options.events.exit(exit, willRestart),
      onRecovered: (result) => {
        if (result.type === 'restarted') {
          this.#announce();
        } else {
          options.events.failure(result.error, 'the app could not be started again');
        }
      },
    });
    this.#queue = new UpdateQueue({
      root,
      rules: collectRules(vite.config),
      transformer: this.#transformer,
      supervisor: this.#supervisor,
      modules: () => this.#current,
      isHmrOn: () => this.isHmrOn,
      beforePass: (changes) => this.#updateVite(changes),
      onResult: (result) => options.events.update(result),
      onIdle: () => this.#supervisor.app?.send({ type: 'release' }),
      onNote: (note) => options.events.note(note),
    });
  }

  get isHmrOn(): boolean {
    return this.#options.hmr ?? this.#flag.value;
  }

  /** Brings the app up for the first time; when that fails, the next save tries again. */
  async start(): Promise<SerializedError | undefined> {
    const { root, events } = this.#options;
    this.#listen();
    void this.#transformer.warmUp(sourceFiles(root));
    const result = await this.#supervisor.restart('start');
    if (result.type === 'restarted') {
      this.#announce();
      return undefined;
    }
    events.failure(result.error, 'the app could not be started; the next save tries again');
    return result.error;
  }

  /** A restart that nobody saved a file for. */
  restart(reason: string): Promise<void> {
    return this.#queue.restart(reason);
  }

  async close(): Promise<void> {
    this.#watch?.close();
    await this.#supervisor.close();
    await this.#options.vite.close();
  }

  /** Ends the app without waiting for its requests. */
  kill(): void {
    this.#supervisor.kill();
  }

  #spawn(): AppProcess {
    const { root, listener, child, env, nodeArgs, isStdoutTaken } = this.#options;
    const modules = new AppModules(this.#transformer);
    const app = new AppProcess({
      child: { ...child, root, port: listener.port, host: listener.host },
      env,
      nodeArgs,
      isStdoutTaken,
      servePipe: (pipe) => modules.serve(pipe),
      onLoaded: (report) => {
        modules.add(report);
        // Vite watches the project, and what it has transformed itself.
        this.#options.vite.watcher.add(report.natives);
      },
      onInvalidate: (id) => {
        const change: Change = { file: fileOfId(id), change: 'update', isForced: true };
        this.#queue.add({ changes: [change], unchanged: [], since: performance.now() });
      },
    });
    this.#modules.set(app, modules);
    if (!this.#supervisor?.app) {
      this.#current = modules;
    }
    return app;
  }

  #listen(): void {
    this.#watch?.close();
    const { root, vite } = this.#options;
    this.#watch = new FileWatch({
      events: vite.watcher,
      known: topLevelFiles(root),
      onFirst: () => this.#supervisor.app?.send({ type: 'hold' }),
      onBatch: (batch) => this.#queue.add(batch),
    });
  }

  /** A changed `vite.config` is Vite's to read, before the app is restarted with what it says. */
  async #updateVite(changes: Change[]): Promise<void> {
    const { vite } = this.#options;
    const dependencies = new Set([vite.config.configFile, ...vite.config.configFileDependencies]);
    if (changes.some(({ file }) => dependencies.has(file))) {
      await vite.restart();
      this.#listen();
    }
  }

  #announce(): void {
    const pid = this.#supervisor.app?.process.pid ?? 0;
    this.#options.events.ready({ pid, isHmrOn: this.isHmrOn });
  }
}

export function describeCrash(exit: AppExit, willRestart: boolean): SerializedError {
  const next = willRestart ? 'It is started again.' : 'The next save starts it again.';
  const tail = exit.stderr.trim().split('\n').slice(-8).join('\n');
  return {
    name: 'Error',
    message: `The app exited ${describeExit(exit)}. ${next}${tail ? `\n${tail}` : ''}`,
  };
}
