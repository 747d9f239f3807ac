import { posix } from 'node:path';
import type { ViteDevServer } from 'vite';
import { MedusaViteError } from '../../shared/failure.ts';
import { relativeToRoot, toPosix } from '../../shared/paths.ts';
import { serializeError } from '../../shared/serialized-error.ts';
import { isUnwatched } from '../../vite/headless.ts';
import { Host } from '../host.ts';
import { Ending } from '../terminal/ending.ts';
import { createReporter } from '../terminal/reporter.ts';
import { bindHostShortcuts, hasShortcuts, SHORTCUTS_HINT } from '../terminal/shortcuts.ts';
import { type FileEvents, FileWatch } from '../updates/file-watch.ts';
import { OPTIONS_FAILED, resolveSettings, type ServeOptions } from './serve-options.ts';

/**
 * The backend that the entry of `vite-node --watch` asks for. The entry and its imports are modules of Vite's
 * environment `ssr`. A change of these modules runs the entry again, and its options get a new host.
 */
export class UnderViteNode {
  readonly #vite: ViteDevServer;
  readonly #root: string;
  readonly #ending = new Ending();
  /** The entry and its imports; a restart of Vite forgets them. */
  readonly #entryFiles = new Set<string>();
  /** Vite's watcher, even while Vite restarts. */
  #events: FileEvents;
  #watch: FileWatch | undefined;
  #host: Host | undefined;
  /** The plugin's options in `vite.config.ts`; the entry's options override them. */
  #defaults: ServeOptions;
  #options: ServeOptions = {};
  /** Files of the entry that have changed since it last ran. */
  #changed: string[] = [];
  #isFirst = true;
  #isClosed = false;
  /** Runs one start after another; never rejects. */
  #starting: Promise<void> = Promise.resolve();

  constructor(vite: ViteDevServer, root: string, defaults: ServeOptions) {
    this.#vite = vite;
    this.#events = vite.watcher;
    this.#root = root;
    this.#defaults = defaults;
    this.#ending.add(
      async () => {
        this.#isClosed = true;
        await this.#host?.close();
        await this.#vite.close();
      },
      () => this.#host?.kill(),
    );
  }

  /** To be called by each run of the entry. */
  serve(options: ServeOptions): void {
    for (const file of this.#vite.environments.ssr.moduleGraph.fileToModulesMap.keys()) {
      if (!file.includes('/node_modules/')) {
        this.#entryFiles.add(file);
      }
    }
    this.#watch ??= new FileWatch({
      events: this.#events,
      known: [...this.#entryFiles],
      isWatched: (file) => this.#isOfEntry(file),
      onFirst: () => {},
      onBatch: ({ changes }) => {
        if (changes.length > 0) {
          void this.#runEntry(changes.map(({ file }) => file));
        }
      },
    });
    if (!this.#isFirst && this.#changed.length === 0) {
      return;
    }
    this.#options = options;
    this.#replace([...new Set(this.#changed.splice(0))]);
  }

  /** To be called by the new plugin when Vite has restarted. */
  follow(vite: ViteDevServer, defaults: ServeOptions): void {
    this.#events = vite.watcher;
    this.#watch?.follow(vite.watcher);
    this.#host?.followWatcher(vite.watcher);
    if (JSON.stringify(defaults) !== JSON.stringify(this.#defaults)) {
      this.#defaults = defaults;
      const { configFile = '' } = vite.config;
      this.#replace([relativeToRoot(this.#root, toPosix(configFile))]);
    }
  }

  /** Asks vite-node for a full reload, which runs the entry again; vite-node heeds no other update. */
  async #runEntry(changed: string[]): Promise<void> {
    const { moduleGraph } = this.#vite.environments.ssr;
    for (const file of changed) {
      this.#changed.push(relativeToRoot(this.#root, file));
      // A restarted Vite no longer knows the file, and vite-node would go on with the old code.
      const module = await moduleGraph.ensureEntryFromUrl(file).catch(() => undefined);
      if (module) {
        moduleGraph.invalidateModule(module);
      }
    }
    this.#vite.ws.send({ type: 'full-reload', path: '*' });
  }

  #isOfEntry(file: string): boolean {
    const { moduleGraph } = this.#vite.environments.ssr;
    const isKnown = this.#entryFiles.has(file) || moduleGraph.getModulesByFile(file) !== undefined;
    return isKnown && !isUnwatched(this.#root, file);
  }

  #replace(files: string[]): void {
    this.#starting = this.#starting.then(() => this.#start(files));
  }

  async #start(files: string[]): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    const options = { ...this.#defaults, ...this.#options };
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const isStdoutTaken = options.json ?? false;
    const reporter = createReporter({
      root: this.#root,
      json: isStdoutTaken,
      clearScreen: true,
    });
    const previous = this.#host;
    try {
      const host = new Host({
        ...resolveSettings(options),
        root: this.#root,
        reporter,
        isStdoutTaken,
        createVite: async () => this.#vite,
        isForeign: (file) => this.#isOfEntry(file),
        onFirstReady: () => {
          if (hasShortcuts(isStdoutTaken)) {
            reporter.info(SHORTCUTS_HINT);
          }
        },
        ...(previous && { replaces: { previous, files, events: this.#events } }),
      });
      this.#host = host;
      if (isFirst && hasShortcuts(isStdoutTaken)) {
        bindHostShortcuts(() => this.#host, { reporter, quit: () => this.#ending.end(0) });
      }
      await host.start();
    } catch (error) {
      if (previous) {
        if (this.#host !== previous) {
          return;
        }
        const reason = serializeError(error);
        if (files.every((file) => this.#isOfEntry(posix.join(this.#root, file)))) {
          previous.keep(files, reason);
        } else {
          // The previous host reports the change of `vite.config`.
          reporter.failure(reason, OPTIONS_FAILED);
        }
        return;
      }
      const { message, hint } =
        error instanceof MedusaViteError ? error : { message: String(error), hint: undefined };
      process.stderr.write(`medusa-vite: ${hint ? `${message} ${hint}` : message}\n`, () =>
        this.#ending.end(1),
      );
    }
  }
}
