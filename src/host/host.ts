import { posix } from 'node:path';
import type { ViteDevServer } from 'vite';
import { findSupportedMedusa } from '../project/medusa-version.ts';
import { assertMedusaProject, readDotEnv } from '../project/project.ts';
import type { UpdateEvent } from '../protocol/events.ts';
import type { RestartReason } from '../protocol/reason.ts';
import type { UpdateResult } from '../protocol/update.ts';
import { MedusaViteError } from '../shared/failure.ts';
import { relativeToRoot } from '../shared/paths.ts';
import { type SerializedError, serializeError } from '../shared/serialized-error.ts';
import { describeMove, resolveAddress } from './port/address.ts';
import { type Listener, listen } from './port/listener.ts';
import { AppProcess } from './processes/app-process.ts';
import { parseInspect } from './processes/inspect-option.ts';
import { canWait } from './processes/spare-keeper.ts';
import { ProjectDatabase } from './project-database.ts';
import { describeCrash } from './terminal/crash.ts';
import type { Reporter } from './terminal/reporter.ts';
import { toUpdateEvent } from './terminal/update-event.ts';
import type { FileEvents } from './updates/file-watch.ts';
import { UntoldFiles } from './updates/untold-files.ts';
import { Updates, type UpdatesEvents, type UpdatesOptions } from './updates/updates.ts';

/** The settings that every launcher offers. */
export interface HostSettings {
  /** 0 picks a free port. `undefined` takes `PORT`, which may come from the project's `.env`, else 9000. */
  port: number | undefined;
  /** `undefined` takes `HOST`, which may come from the project's `.env`, else every address. */
  host: string | undefined;
  /** Whether the app writes `.medusa/types` once it is ready. */
  types: boolean;
  /** `undefined` leaves the decision to the feature flag `backend_hmr`. */
  hmr: boolean | undefined;
  /** The argument for Node, e.g. `--inspect=127.0.0.1:9229` or `--inspect-brk`. */
  inspect: string | undefined;
  /** Arguments for the Node process of the app. */
  nodeArgs: string[];
  /** Whether the host keeps a spare ready for the next restart. */
  spare: boolean;
}

export interface HostOptions extends HostSettings {
  /** The project: absolute, with forward slashes. */
  root: string;
  reporter: Reporter;
  /** Whether stdout is for events only. */
  isStdoutTaken: boolean;
  /** Called while the database comes up. */
  createVite(): Promise<ViteDevServer>;
  /** Called when the app serves for the first time. */
  onFirstReady?(): void;
  onUpdate?(event: UpdateEvent): void;
  /** Whether a file belongs to the launcher; updates leave such a file alone. */
  isForeign?(file: string): boolean;
  /** Set if this host closes another one and takes its place; its start is then reported as a restart. */
  replaces?: Replacement;
}

export interface Replacement {
  previous: Host;
  /** The changed files, relative to the project. */
  files: string[];
  /** Vite's present watcher. */
  events: FileEvents;
}

/** Errors that no change of a file can mend: the host cannot start. */
const FATAL_CODES = new Set([
  'NO_MEDUSA',
  'UNSUPPORTED_MEDUSA',
  'UNEXPECTED_MEDUSA',
  'NO_DATABASE',
]);

/** The port, the database, Vite and the app of one project, whichever launcher started it. */
export class Host {
  readonly #options: HostOptions;
  readonly #startedAt: number = performance.now();
  /** How to end each part of the host, the latest part first. */
  readonly #closing: (() => Promise<void>)[] = [];
  #updates: Updates | undefined;
  #listener: Listener | undefined;
  #updateCount = 0;
  readonly #untold: UntoldFiles;
  /** The shell's variables, without those of `.env`: the app reads that file anew at each start. */
  readonly #shell: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: 'development' };
  /** The host that this one replaces; unset once the old host has closed. */
  #previous: Host | undefined;
  #isFirst = true;
  /** Set by the first call of `close`. */
  #closed: Promise<void> | undefined;

  /** Checks that the folder is a Medusa project. @throws MedusaViteError */
  constructor(options: HostOptions) {
    assertMedusaProject(options.root);
    // The app would report a missing or unsupported Medusa as well, but only after its database was created.
    void findSupportedMedusa(options.root);
    this.#options = options;
    this.#untold = new UntoldFiles({ root: options.root, isForeign: this.#isForeign });
  }

  /** URL of the app, once the host listens. */
  get url(): string | undefined {
    return this.#listener?.url;
  }

  /** URL of the dashboard; undefined if it is switched off, or the app has not been up yet. */
  get adminUrl(): string | undefined {
    const path = this.#updates?.adminPath ?? null;
    return path === null ? undefined : `${this.#listener?.url}${path}`;
  }

  /**
   * Resolves when the app serves, or needs a change to mend it, or the host was closed meanwhile.
   * @throws MedusaViteError if no change can mend the app; then the host is closed, and a replacement has said why
   */
  async start(): Promise<void> {
    try {
      await this.#replace();
      await this.#start();
    } catch (error) {
      // A host that was closed while it started fails for that reason alone.
      const wasClosed = this.#closed !== undefined;
      this.#tellStart(serializeError(error));
      await this.close();
      if (!wasClosed) {
        throw error;
      }
    }
  }

  restart(reason: RestartReason): void {
    void this.#updates?.restart(reason);
  }

  /**
   * To be called when the launcher has restarted Vite; the new Vite has another watcher.
   * @param configuredAt when Vite began to read its config; `performance.now()`
   */
  followVite({ watcher }: ViteDevServer, configuredAt: number): void {
    this.followWatcher(watcher);
    this.#updates?.followVite(configuredAt);
  }

  /** To be called when Vite has another watcher, even before its restart is over. */
  followWatcher(events: FileEvents): void {
    this.#untold.follow(events);
  }

  /** Reports that no new host could start with these changed files, so that this host goes on. */
  keep(files: string[], error: SerializedError): void {
    this.#tell({ type: 'kept-previous', files, error, ms: 0 });
  }

  /** Ends everything that was started, in reverse order. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  /** Ends the app without waiting for its requests. */
  kill(): void {
    this.#previous?.kill();
    this.#updates?.kill();
  }

  /** Takes the place of another host, if there is one. */
  async #replace(): Promise<void> {
    const { replaces } = this.#options;
    if (!replaces) {
      return;
    }
    const { previous, files, events } = replaces;
    this.#previous = previous;
    this.#untold.add(files);
    await this.#add(() => previous.close());
    this.#untold.watch(events);
    const closed = previous.close();
    this.#untold.add(previous.#untold.all);
    await closed;
    this.#assertOpen();
    this.#updateCount = previous.#updateCount;
    this.#previous = undefined;
  }

  async #start(): Promise<void> {
    const { root, hmr, isStdoutTaken, spare } = this.#options;
    const environment = { ...readDotEnv(root), ...this.#shell };
    const listener = await this.#listen(environment);
    const { inspect, nodeArgs } = parseInspect(this.#options.inspect, this.#options.nodeArgs);
    const fork = this.#createFork(listener, { inspect, nodeArgs });
    const isSparePossible = canWait(nodeArgs, this.#shell);
    // The first app loads Medusa while Vite and the database come up.
    const first = isSparePossible ? await this.#forkFirst(fork) : undefined;
    const vite = this.#options.createVite();
    vite.catch(() => {});
    const database = await this.#startDatabase(environment.DATABASE_URL);
    const updates = new Updates({
      root,
      vite: await vite,
      listener,
      fork,
      first,
      hasSpare: spare && isSparePossible,
      env: () => database.env,
      isStdoutTaken,
      hmr,
      isForeign: this.#isForeign,
      events: this.#createEvents({ listener, database, environment }),
    });
    this.#updates = updates;
    await this.#add(() => updates.close());
    await this.#startApp(updates);
  }

  async #listen(environment: NodeJS.Dict<string>): Promise<Listener> {
    const { root } = this.#options;
    const listener = await listen({ root, ...resolveAddress(this.#options, environment) });
    this.#listener = listener;
    await this.#add(() => listener.close());
    return listener;
  }

  #createFork(
    { port, host }: Listener,
    { inspect, nodeArgs }: ReturnType<typeof parseInspect>,
  ): UpdatesOptions['fork'] {
    const { root, types, isStdoutTaken } = this.#options;
    return (role, { env, reloaders }, trial) =>
      new AppProcess({
        app: { root, port, host, types, inspect, reloaders, isSpare: role === 'spare', trial },
        env,
        nodeArgs,
        isStdoutTaken,
      });
  }

  async #forkFirst(fork: UpdatesOptions['fork']): Promise<AppProcess> {
    const first = fork('spare', { env: this.#shell, reloaders: [] });
    await this.#add(async () => {
      first.kill();
      await first.exited;
    });
    first.preload(null);
    return first;
  }

  async #startDatabase(url: string | undefined): Promise<ProjectDatabase> {
    const { root, reporter } = this.#options;
    const log = (line: string) => reporter.info(line);
    const database = new ProjectDatabase({ root, shell: this.#shell, log });
    await database.start(url);
    await this.#add(() => database.stop());
    await database.migrate();
    return database;
  }

  #createEvents(told: {
    listener: Listener;
    database: ProjectDatabase;
    /** The environment that the host was started with. */
    environment: NodeJS.Dict<string>;
  }): UpdatesEvents {
    const { root, reporter } = this.#options;
    const { listener, database, environment } = told;
    return {
      ready: ({ pid, isHmrOn, bootMs }) =>
        this.#unlessClosed(() => {
          reporter.ready({
            event: 'ready',
            port: listener.port,
            url: listener.url,
            pid,
            hmr: isHmrOn,
            ms: Math.round(this.#isFirst ? performance.now() - this.#startedAt : bootMs),
          });
          if (this.#isFirst) {
            this.#isFirst = false;
            this.#tellStart(undefined);
            this.#options.onFirstReady?.();
          }
        }),
      update: (result) => {
        this.#unlessClosed(() => this.#tell(result));
        const isDotEnv = (file: string) => relativeToRoot(root, file) === '.env';
        if (result.type === 'restarted' && result.files.some(isDotEnv)) {
          const after = { ...readDotEnv(root), ...this.#shell };
          for (const warning of describeMove(this.#options, { before: environment, after })) {
            reporter.warn(warning);
          }
        }
      },
      note: (note) => this.#unlessClosed(() => reporter.info(database.completeNote(note))),
      warning: (text) => this.#unlessClosed(() => reporter.warn(text)),
      failure: (error, headline) => this.#unlessClosed(() => reporter.failure(error, headline)),
      exit: (exit, willRestart) =>
        this.#unlessClosed(() => {
          reporter.exit(exit.code, exit.signal);
          reporter.failure(describeCrash(exit, willRestart), 'the app ended by itself');
        }),
    };
  }

  async #startApp(updates: Updates): Promise<void> {
    const { reporter } = this.#options;
    const error = await this.#watchAndStart(updates);
    if (error?.code !== undefined && FATAL_CODES.has(error.code)) {
      throw new MedusaViteError(error.message, { code: error.code, hint: error.hint });
    }
    if (error && !this.#tellStart(error)) {
      this.#unlessClosed(() =>
        reporter.failure(error, 'the app could not be started; the next save tries again'),
      );
    }
  }

  #watchAndStart(updates: Updates): Promise<SerializedError | undefined> {
    const { root, replaces } = this.#options;
    this.#untold.stopWatching();
    const known = this.#untold.all;
    const causes = new Set(replaces?.files.map((file) => posix.resolve(root, file)));
    // The app is about to load all of these files, but Vite has not restarted for its own ones.
    const forVite = known.filter((file) => !causes.has(file) && updates.isReadByVite(file));
    this.#untold.delete(forVite);
    const started = updates.start(known);
    updates.catchUp(forVite);
    return started;
  }

  /** A closed host reports nothing: its end causes the failures, and its successor reports the changes. */
  #unlessClosed(tell: () => void): void {
    if (!this.#closed) {
      tell();
    }
  }

  /** Reports the result of the changes that this host was started for. @returns false if there are none */
  #tellStart(error: SerializedError | undefined): boolean {
    const { root, replaces } = this.#options;
    const untold = this.#untold.all;
    if (!replaces || untold.length === 0 || this.#closed) {
      return false;
    }
    this.#untold.delete(untold);
    const files = untold.map((file) => relativeToRoot(root, file));
    const ms = Math.round(performance.now() - this.#startedAt);
    const reason: RestartReason = { type: 'host-replaced', paths: replaces.files };
    this.#tell(
      error
        ? { type: 'kept-previous', files, error, isDown: true, ms }
        : { type: 'restarted', files, reason, chain: [], ms },
    );
    return true;
  }

  #tell(result: UpdateResult): void {
    const { root, reporter, onUpdate } = this.#options;
    this.#updateCount++;
    reporter.update(this.#updateCount, result);
    onUpdate?.(toUpdateEvent(result, { id: this.#updateCount, root }));
  }

  readonly #isForeign = (file: string): boolean => this.#options.isForeign?.(file) ?? false;

  /** Registers the end of a part that has just started. @throws MedusaViteError if the host was closed meanwhile */
  async #add(close: () => Promise<void>): Promise<void> {
    if (this.#closed) {
      await close().catch(() => {});
    }
    this.#assertOpen();
    this.#closing.unshift(close);
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new MedusaViteError('The backend was closed while it started.', { code: 'CLOSED' });
    }
  }

  async #closeAll(): Promise<void> {
    this.#untold.stopWatching();
    this.#untold.add(this.#updates?.stopWatching() ?? []);
    for (let close = this.#closing.shift(); close; close = this.#closing.shift()) {
      await close().catch(() => {});
    }
  }
}
