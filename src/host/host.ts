import { posix } from 'node:path';
import type { ViteDevServer } from 'vite';
import { withDatabaseUrl } from '../database/database-folder.ts';
import { isEmbeddedDatabaseInstalled, startEmbeddedDatabase } from '../database/embedded.ts';
import { migrateIfPending } from '../medusa/migrations/migrations.ts';
import { findSupportedMedusa } from '../project/medusa-version.ts';
import { assertMedusaProject, readDotEnv } from '../project/project.ts';
import type { UpdateEvent } from '../protocol/events.ts';
import type { Trial } from '../protocol/messages.ts';
import type { RestartReason } from '../protocol/reason.ts';
import type { UpdateResult } from '../protocol/update.ts';
import { assertDatabaseReachable } from '../shared/database-check.ts';
import { MedusaViteError } from '../shared/failure.ts';
import { relativeToRoot } from '../shared/paths.ts';
import { type SerializedError, serializeError } from '../shared/serialized-error.ts';
import { isUnwatched } from '../vite/headless.ts';
import { type Listener, listen } from './port/listener.ts';
import { type Activation, AppProcess } from './processes/app-process.ts';
import { parseInspect } from './processes/inspect-option.ts';
import { canWait } from './processes/spare-keeper.ts';
import { describeCrash } from './terminal/crash.ts';
import type { Reporter } from './terminal/reporter.ts';
import { toUpdateEvent } from './terminal/update-event.ts';
import { type FileEvents, FileWatch } from './updates/file-watch.ts';
import { Updates } from './updates/updates.ts';

/** What a person may ask of the host, whichever launcher was taken. */
export interface HostSettings {
  /** 0 picks a free port. `undefined`: `PORT`, which may come from the project's `.env`, else 9000. */
  port: number | undefined;
  /** `undefined`: `HOST`, which may come from the project's `.env`, else every address. */
  host: string | undefined;
  /** Whether to write `.medusa/types` once the app is ready. */
  types: boolean;
  /** `undefined`: the feature flag `backend_hmr` decides. */
  hmr: boolean | undefined;
  /** The argument for Node, e.g. `--inspect=127.0.0.1:9229` or `--inspect-brk`. */
  inspect: string | undefined;
  /** Arguments for the Node process of the app. */
  nodeArgs: string[];
  /** Whether to keep a process ready for the next restart. */
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
  /** The app serves for the first time. */
  onFirstReady?(): void;
  onUpdate?(event: UpdateEvent): void;
  /** Files that somebody else sees to. */
  isForeign?(file: string): boolean;
  /** Set if this backend takes the place of another one, which it closes: its start is told as a restart. */
  replaces?: Replacement;
}

export interface Replacement {
  previous: Host;
  /** What has changed, relative to the project. */
  files: string[];
  /** Of the watcher that Vite has now. */
  events: FileEvents;
}

const DEFAULT_PORT = 9000;

/** What a save cannot mend: the backend cannot be started. */
const FATAL_CODES = new Set([
  'NO_MEDUSA',
  'UNSUPPORTED_MEDUSA',
  'UNEXPECTED_MEDUSA',
  'NO_DATABASE',
]);

/** The port, the database and the host of one project: what all launchers have in common. */
export class Host {
  readonly #options: HostOptions;
  readonly #startedAt: number = performance.now();
  /** What is added last is closed first. */
  readonly #closing: (() => Promise<void>)[] = [];
  #updates: Updates | undefined;
  #listener: Listener | undefined;
  #updateCount = 0;
  /** Saved files that this backend has yet to tell of: what it was started for, and what was saved meanwhile. */
  #untold: string[] = [];
  /** Watches while neither the previous backend does, nor the host of this one. */
  #meanwhile: FileWatch | undefined;
  /** Unset once it is closed. */
  #previous: Host | undefined;
  #isFirst = true;
  /** Set by whoever asks first. */
  #closed: Promise<void> | undefined;

  /** Checks what can be checked at once. @throws MedusaViteError */
  constructor(options: HostOptions) {
    assertMedusaProject(options.root);
    // The app would say the same of a Medusa that is missing or too old, but only after its database was made.
    void findSupportedMedusa(options.root);
    this.#options = options;
  }

  /** Where the app is to be found, once there is a port. */
  get url(): string | undefined {
    return this.#listener?.url;
  }

  /** Where the dashboard is to be found; undefined if it is switched off, or the app has not been up yet. */
  get adminUrl(): string | undefined {
    const path = this.#updates?.adminPath ?? null;
    return path === null ? undefined : `${this.#listener?.url}${path}`;
  }

  /**
   * Resolves when the app serves or waits for a save that mends it, and when this was closed meanwhile.
   * @throws MedusaViteError if no save could; then nothing is left open, and a replacement has told why.
   */
  async start(): Promise<void> {
    try {
      await this.#replace();
      await this.#start();
    } catch (error) {
      // Then it failed because of that.
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
   * To be called when Vite was restarted by somebody else: its watcher is another one then.
   * @param configuredAt when it began to read its config; `performance.now()`
   */
  followVite({ watcher }: ViteDevServer, configuredAt: number): void {
    this.followWatcher(watcher);
    this.#updates?.followVite(configuredAt);
  }

  /** To be called when Vite has another watcher, by whoever does not know whether its restart is over. */
  followWatcher(events: FileEvents): void {
    this.#meanwhile?.follow(events);
  }

  /** Tells that what was saved is no good for a host, and that this one goes on. */
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

  async #replace(): Promise<void> {
    const { root, replaces, isForeign } = this.#options;
    if (!replaces) {
      return;
    }
    const { previous, files, events } = replaces;
    this.#previous = previous;
    this.#untold = [...files];
    await this.#add(() => previous.close());
    this.#meanwhile = new FileWatch({
      events,
      known: [],
      isWatched: (file) => !isUnwatched(root, file) && !isForeign?.(file),
      onFirst: () => {},
      onBatch: ({ changes, unchanged }) =>
        this.#untold.push(...changes.map(({ file }) => file), ...unchanged),
    });
    const closed = previous.close();
    this.#untold.push(...previous.#untold);
    await closed;
    this.#assertOpen();
    this.#updateCount = previous.#updateCount;
    this.#previous = undefined;
  }

  async #start(): Promise<void> {
    const { root, reporter, port, host, types, hmr, isStdoutTaken, spare } = this.#options;
    // The shell's variables, without those of `.env`: the app reads that file anew at each start.
    const shell: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: 'development' };
    const dotEnv = readDotEnv(root);
    const setting = (key: string) => shell[key] ?? dotEnv[key];

    const listener = await listen({
      root,
      port: port ?? parsePort(setting('PORT')),
      host: host ?? (setting('HOST') || undefined),
    });
    this.#listener = listener;
    await this.#add(() => listener.close());
    const { inspect, nodeArgs } = parseInspect(this.#options.inspect, this.#options.nodeArgs);
    const fork = (role: 'app' | 'spare', { env, reloaders }: Activation, trial?: Trial) =>
      new AppProcess({
        child: {
          root,
          port: listener.port,
          host: listener.host,
          types,
          inspect,
          reloaders,
          isSpare: role === 'spare',
          trial,
        },
        env,
        nodeArgs,
        isStdoutTaken,
      });
    const isSparePossible = canWait(nodeArgs, shell);
    // Medusa is loaded while Vite and the database come up.
    const first = isSparePossible ? fork('spare', { env: shell, reloaders: [] }) : undefined;
    await this.#add(async () => {
      first?.kill();
      await first?.exited;
    });
    first?.preload(null);
    const vitePromise = this.#options.createVite();
    vitePromise.catch(() => {});
    let embeddedUrl: string | undefined;
    const databaseUrl = setting('DATABASE_URL');
    if (databaseUrl) {
      await assertDatabaseReachable(databaseUrl);
    } else if (isEmbeddedDatabaseInstalled(root)) {
      const log = (line: string) => reporter.info(line);
      const database = await startEmbeddedDatabase({ root, log });
      await this.#add(() => database.stop());
      embeddedUrl = database.url;
      const env = { ...shell, DATABASE_URL: embeddedUrl };
      await migrateIfPending({ root, database, env, log });
    }

    // A `DATABASE_URL` that comes into `.env` later takes the place of the embedded one.
    const env = () =>
      embeddedUrl === undefined || readDotEnv(root).DATABASE_URL
        ? shell
        : { ...shell, DATABASE_URL: embeddedUrl };
    const updates = new Updates({
      root,
      vite: await vitePromise,
      listener,
      fork,
      first,
      hasSpare: spare && isSparePossible,
      env,
      isStdoutTaken,
      hmr,
      isForeign: (file) => this.#options.isForeign?.(file) ?? false,
      events: {
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
              this.#onFirstReady();
            }
          }),
        update: (result) => {
          this.#report(result);
          const isDotEnv = (file: string) => relativeToRoot(root, file) === '.env';
          if (result.type === 'restarted' && result.files.some(isDotEnv)) {
            this.#warnOfMove({ ...dotEnv, ...shell }, { ...readDotEnv(root), ...shell });
          }
        },
        note: (note) =>
          this.#unlessClosed(() => {
            const isEmbedded = embeddedUrl !== undefined && env().DATABASE_URL === embeddedUrl;
            reporter.info(isEmbedded ? withDatabaseUrl(note) : note);
          }),
        warning: (text) => this.#unlessClosed(() => reporter.warn(text)),
        failure: (error, headline) => this.#unlessClosed(() => reporter.failure(error, headline)),
        exit: (exit, willRestart) =>
          this.#unlessClosed(() => {
            reporter.exit(exit.code, exit.signal);
            reporter.failure(describeCrash(exit, willRestart), 'the app ended by itself');
          }),
      },
    });
    this.#updates = updates;
    await this.#add(() => updates.close());
    const error = await this.#startUpdates(updates);
    if (error && isFatal(error)) {
      throw new MedusaViteError(error.message, { code: error.code, hint: error.hint });
    }
    if (error && !this.#tellStart(error)) {
      this.#unlessClosed(() =>
        reporter.failure(error, 'the app could not be started; the next save tries again'),
      );
    }
  }

  /** From here on the host watches. */
  #startUpdates(updates: Updates): Promise<SerializedError | undefined> {
    const { root, replaces } = this.#options;
    const known = [...this.#untold, ...(this.#meanwhile?.close() ?? [])].map((file) =>
      posix.resolve(root, file),
    );
    this.#meanwhile = undefined;
    const causes = new Set(replaces?.files.map((file) => posix.resolve(root, file)));
    // The app is about to load all of it, but Vite was not restarted for what it reads itself.
    const forVite = known.filter((file) => !causes.has(file) && updates.isReadByVite(file));
    this.#untold = known.filter((file) => !forVite.includes(file));
    const started = updates.start(known);
    updates.catchUp(forVite);
    return started;
  }

  /** A restart keeps the port, which is the host's. */
  #warnOfMove(before: NodeJS.Dict<string>, after: NodeJS.Dict<string>): void {
    const { port, host, reporter } = this.#options;
    for (const [key, asked] of Object.entries({ PORT: port, HOST: host })) {
      if (asked === undefined && (before[key] || undefined) !== (after[key] || undefined)) {
        const change = after[key]
          ? `\`${key}\` in \`.env\` has changed to \`${after[key]}\``
          : `\`${key}\` is gone from \`.env\``;
        reporter.warn(
          `${change}, which a restart does not follow: stop the dev server and start it again.`,
        );
      }
    }
  }

  /** What goes wrong because it ends is nothing to read of. */
  #unlessClosed(tell: () => void): void {
    if (!this.#closed) {
      tell();
    }
  }

  #onFirstReady(): void {
    this.#tellStart(undefined);
    this.#options.onFirstReady?.();
  }

  /** What has become of the files that this backend was started for. @returns false if there are none */
  #tellStart(error: SerializedError | undefined): boolean {
    const { root, replaces } = this.#options;
    const files = [...new Set(this.#untold.map((file) => relativeToRoot(root, file)))];
    if (!replaces || files.length === 0 || this.#closed) {
      return false;
    }
    this.#untold = [];
    const ms = Math.round(performance.now() - this.#startedAt);
    const reason: RestartReason = { type: 'host-replaced', paths: replaces.files };
    this.#report(
      error
        ? { type: 'kept-previous', files, error, isDown: true, ms }
        : { type: 'restarted', files, reason, chain: [], ms },
    );
    return true;
  }

  #report(result: UpdateResult): void {
    // Whoever takes the place of a closed one tells what became of the save.
    if (!this.#closed) {
      this.#tell(result);
    }
  }

  #tell(result: UpdateResult): void {
    const { root, reporter, onUpdate } = this.#options;
    this.#updateCount++;
    reporter.update(this.#updateCount, result);
    onUpdate?.(toUpdateEvent(result, { id: this.#updateCount, root }));
  }

  /** @throws MedusaViteError if the backend was closed while this was being started */
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
    this.#untold.push(
      ...(this.#meanwhile?.close() ?? []),
      ...(this.#updates?.stopWatching() ?? []),
    );
    for (let close = this.#closing.shift(); close; close = this.#closing.shift()) {
      await close().catch(() => {});
    }
  }
}

/** An empty value counts as none, as for Medusa. @throws MedusaViteError */
function parsePort(value: string | undefined): number {
  if (!value) {
    return DEFAULT_PORT;
  }
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new MedusaViteError(`\`${value}\` is not a port (\`PORT\`).`, {
      code: 'USAGE',
      hint: 'Give a number from 1 to 65535, or 0 for any free port.',
    });
  }
  return Number(value);
}

function isFatal(error: SerializedError): boolean {
  return error.code !== undefined && FATAL_CODES.has(error.code);
}
