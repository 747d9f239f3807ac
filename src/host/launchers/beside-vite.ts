import type { ViteDevServer } from 'vite';
import { relativeToRoot, toPosix } from '../../shared/paths.ts';
import { serializeError } from '../../shared/serialized-error.ts';
import { Host } from '../host.ts';
import { Ending } from '../terminal/ending.ts';
import { createJsonReporter, createTerminalReporter, type Reporter } from '../terminal/reporter.ts';
import { OPTIONS_FAILED, resolveSettings, type ServeOptions } from './serve-options.ts';

/** What front-end code listens to: `import.meta.hot.on('medusa-vite:update', …)`. */
export const UPDATE_EVENT = 'medusa-vite:update';

/** By project. Outlives a restart of Vite, which makes new plugins and keeps only its own object. */
const running = new Map<string, BesideVite>();

/** Those that are being closed for good. */
const closing = new Set<BesideVite>();

/** Left alone, Ctrl-C ends `vite` at once, and so does a second SIGTERM; the backend is to end properly. */
let ending: Ending | undefined;

/**
 * To be called when a dev server of Vite listens: starts the backend of the project, or keeps the one that
 * runs, if Vite was only restarted.
 * @param configuredAt when it began to read its config; `performance.now()`
 */
export async function serveBeside(
  vite: ViteDevServer,
  { root, options, configuredAt }: { root: string; options: ServeOptions; configuredAt: number },
): Promise<void> {
  const before = running.get(root);
  // Also if it is replaced: it may be about to restart Vite for the same save.
  before?.followVite(configuredAt);
  if (before?.isFor(options)) {
    return;
  }
  // After a restart the first object is the one that lives on.
  const beside = new BesideVite(before?.vite ?? vite, root, options);
  running.set(root, beside);
  if (!ending) {
    ending = new Ending();
    ending.add(
      async () => {
        await Promise.all([...running.values()].map((each) => each.vite.close()));
      },
      () => {
        for (const each of [...running.values(), ...closing]) {
          each.kill();
        }
      },
    );
  }
  await beside.start(before?.host);
}

/** To be called when Vite ends. */
export async function closeBeside(root: string): Promise<void> {
  const beside = running.get(root);
  running.delete(root);
  if (beside) {
    closing.add(beside);
    await beside.close();
    closing.delete(beside);
  }
}

/** The backend beside a front end on one Vite dev server. */
class BesideVite {
  readonly vite: ViteDevServer;
  readonly #root: string;
  readonly #options: ServeOptions;
  #host: Host | undefined;
  /** Set when it could not be started; then the next restart of Vite makes another one. */
  #hasFailed = false;

  constructor(vite: ViteDevServer, root: string, options: ServeOptions) {
    this.vite = vite;
    this.#root = root;
    this.#options = options;
  }

  get host(): Host | undefined {
    return this.#host;
  }

  isFor(options: ServeOptions): boolean {
    return !this.#hasFailed && JSON.stringify(options) === JSON.stringify(this.#options);
  }

  /** Never rejects: the front end goes on without a backend that cannot be started. */
  async start(previous: Host | undefined): Promise<void> {
    const reporter = this.#createReporter();
    const { configFile = '' } = this.vite.config;
    const files = [relativeToRoot(this.#root, toPosix(configFile))];
    this.#host = previous;
    try {
      this.#host = new Host({
        ...resolveSettings(this.#options),
        root: this.#root,
        reporter,
        isStdoutTaken: this.#options.json ?? false,
        createVite: async () => this.vite,
        onUpdate: (event) => this.vite.environments.client.hot.send(UPDATE_EVENT, event),
        ...(previous && { replaces: { previous, files, events: this.vite.watcher } }),
      });
      await this.#host.start();
    } catch (error) {
      this.#hasFailed = true;
      if (!previous) {
        this.#host = undefined;
        reporter.failure(
          serializeError(error),
          'the backend could not be started; the front end goes on, r + enter tries again',
        );
      } else if (this.#host === previous) {
        reporter.failure(serializeError(error), OPTIONS_FAILED);
      }
    }
  }

  followVite(configuredAt: number): void {
    this.#host?.followVite(this.vite, configuredAt);
  }

  async close(): Promise<void> {
    await this.#host?.close();
  }

  kill(): void {
    this.#host?.kill();
  }

  /** Through Vite's logger, so that its level, its prefix and its screen are respected. */
  #createReporter(): Reporter {
    const root = this.#root;
    const output = {
      write: (text: string) => this.vite.config.logger.info(text.trimEnd()),
    };
    const color = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
    return this.#options.json
      ? createJsonReporter({ root, errorOutput: output })
      : createTerminalReporter({ root, clearScreen: false, color, output });
  }
}
