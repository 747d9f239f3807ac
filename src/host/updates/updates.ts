import type { ViteDevServer } from 'vite';
import { isAboutPackages } from '../../project/layout.ts';
import { sourceFiles } from '../../project/project.ts';
import { tsconfigFiles } from '../../project/tsconfig-files.ts';
import { describeReason, type RestartReason } from '../../protocol/reason.ts';
import type { UpdateResult } from '../../protocol/update.ts';
import { RuleBook } from '../../rules/rule-book.ts';
import type { Change } from '../../shared/change.ts';
import { fileOfId, relativeToRoot } from '../../shared/paths.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { Transformer } from '../../vite/transformer.ts';
import { type ProcessEvents, Processes, type ProcessesOptions } from '../processes/processes.ts';
import { createBatch } from './batch.ts';
import { UpdateQueue } from './update-queue.ts';
import { ViteConfig } from './vite-config.ts';
import { WatchedFiles } from './watched-files.ts';

export interface UpdatesOptions
  extends Pick<
    ProcessesOptions,
    'root' | 'listener' | 'fork' | 'first' | 'hasSpare' | 'isStdoutTaken' | 'hmr'
  > {
  vite: ViteDevServer;
  /** The complete environment of the next app, before its `.env`. */
  env(): NodeJS.ProcessEnv;
  /** Whether a file belongs to the launcher. */
  isForeign(file: string): boolean;
  events: UpdatesEvents;
}

export interface UpdatesEvents extends ProcessEvents {
  update(result: UpdateResult): void;
}

/** Watches files and keeps the app up to date, by reloads and restarts. */
export class Updates {
  readonly #options: UpdatesOptions;
  readonly #transformer: Transformer;
  readonly #rules: RuleBook;
  readonly #processes: Processes;
  readonly #files: WatchedFiles;
  readonly #viteConfig: ViteConfig;
  readonly #queue: UpdateQueue;

  constructor(options: UpdatesOptions) {
    const { root, vite, env, isForeign, events } = options;
    this.#options = options;
    this.#transformer = new Transformer(vite, root);
    this.#rules = new RuleBook({
      root,
      config: () => vite.config,
      warn: (problem) => events.warning(problem),
    });
    this.#processes = new Processes({
      ...options,
      transformer: this.#transformer,
      activation: () => ({ env: env(), reloaders: this.#rules.current.reloaders }),
      isUpdating: () => this.#files.isPending || !this.#queue.isIdle,
      onUsed: (files) => this.#files.addPackagesOf(files),
      onInvalidate: (id) => {
        const change: Change = { file: fileOfId(id), change: 'update', isForced: true };
        this.#queue.add(createBatch([change]));
      },
    });
    this.#files = new WatchedFiles({
      root,
      vite,
      isForeign,
      loaded: () => this.#processes.modules.files,
      onFirst: (file) => this.#anticipate(file),
      onBatch: (batch) => {
        this.#processes.spares.stir();
        this.#queue.add(batch);
        this.#processes.admin.onChange();
      },
    });
    this.#viteConfig = new ViteConfig({
      root,
      vite,
      files: this.#files,
      onRestarted: (configuredAt) => this.followVite(configuredAt),
    });
    this.#queue = new UpdateQueue({
      root,
      rules: () => this.#rules.current.rules,
      transformer: this.#transformer,
      supervisor: this.#processes.supervisor,
      modules: () => this.#processes.modules,
      isHmrOn: () => this.#processes.isHmrOn,
      updateVite: (changes, batch) => {
        this.#dropSpareFor(changes);
        return this.#viteConfig.update(changes, batch);
      },
      filesSettled: async () => {
        this.#processes.spares.anticipate();
        await this.#files.settled();
      },
      onResult: (result) => {
        if (this.#processes.supervisor.app) {
          // A failed restart has used up the spare.
          this.#processes.wakeSpare();
        }
        events.update(result);
      },
      onIdle: () => {
        if (!this.#files.isPending) {
          this.#processes.supervisor.app?.send({ type: 'release' });
        }
      },
      onNote: (note) => events.note(note),
    });
  }

  /** Where the dashboard is served; null if it is not. */
  get adminPath(): string | null {
    return this.#processes.adminPath;
  }

  /**
   * Brings the app up for the first time. @returns the error, if it fails; then the next change tries again
   * @param known files that the host reports by itself; the app is about to load their present content
   */
  async start(known: string[]): Promise<SerializedError | undefined> {
    this.#files.start(known);
    void this.#transformer.warmUp(sourceFiles(this.#options.root));
    const result = await this.#processes.supervisor.restart({ type: 'start' });
    return result.type === 'restarted' ? undefined : result.error;
  }

  /** Whether Vite itself reads the file: its config, or a tsconfig. */
  isReadByVite(file: string): boolean {
    const { configFile, configFileDependencies } = this.#options.vite.config;
    return [configFile, ...configFileDependencies, ...tsconfigFiles(this.#options.root)].includes(
      file,
    );
  }

  /** Treats the files as changed just now. */
  catchUp(files: string[]): void {
    if (files.length > 0) {
      this.#queue.add(createBatch(files.map((file) => ({ file, change: 'update' }))));
    }
  }

  /** Restarts the app, though no file has changed. */
  restart(reason: RestartReason): Promise<void> {
    // A person who asks for a restart may doubt the spare, too.
    this.#processes.spares.drop(describeReason(reason));
    return this.#queue.restart(reason);
  }

  /**
   * To be called when Vite was restarted, and has a new watcher.
   * @param configuredAt when Vite began to read its config; `performance.now()`
   */
  followVite(configuredAt: number): void {
    this.#viteConfig.noteRestart(configuredAt);
    this.#transformer.recover(this.#processes.modules.ids);
    this.#files.follow();
  }

  /** @returns changed files that have no result */
  stopWatching(): string[] {
    return [...this.#files.close(), ...this.#queue.unfinished];
  }

  async close(): Promise<void> {
    this.stopWatching();
    await this.#processes.close();
  }

  /** Ends the app without waiting for its requests. */
  kill(): void {
    this.#processes.kill();
  }

  /** Gets ready for a changed file before its batch is complete. */
  #anticipate(file: string): void {
    const { supervisor, spares } = this.#processes;
    const { app } = supervisor;
    app?.send({ type: 'hold' });
    spares.giveWay();
    // Vite hears of the file too, and invalidates its modules within this turn of the event loop.
    setImmediate(() => {
      // A running update goes on with the code that it began with.
      if (app && this.#queue.isIdle) {
        this.#transformer.anticipate(file);
      }
    });
  }

  /** Drops the spare for a change of packages: it has loaded those, but neither project files nor `.env`. */
  #dropSpareFor(changes: Change[]): void {
    const { root } = this.#options;
    const { modules, spares } = this.#processes;
    const odd = changes.find(({ file }) => modules.isNative(file) || isAboutPackages(file));
    if (odd) {
      spares.drop(`${relativeToRoot(root, odd.file)} changed`);
    }
  }
}
