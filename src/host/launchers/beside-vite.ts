import type { ViteDevServer } from 'vite';
import { relativeToRoot, toPosix } from '../../shared/paths.ts';
import { serializeError } from '../../shared/serialized-error.ts';
import { Host } from '../host.ts';
import { Ending } from '../terminal/ending.ts';
import { createReporter, type Reporter } from '../terminal/reporter.ts';
import { OPTIONS_FAILED, resolveSettings, type ServeOptions } from './serve-options.ts';

/** Front-end code listens to this event: `import.meta.hot.on('medusa-vite:update', …)`. */
export const UPDATE_EVENT = 'medusa-vite:update';

/** By project. The map outlives a restart of Vite, which makes new plugins and retains only its server object. */
const running = new Map<string, BesideVite>();

/** The backends whose Vite is ending, and waits for them. */
const closing = new Set<BesideVite>();

/** By itself, `vite` ends at once on Ctrl-C or a second SIGTERM, but the backend has to end in order. */
let ending: Ending | undefined;

/**
 * To be called when a dev server of Vite listens. Starts the project's backend, or keeps the running one if
 * Vite was only restarted.
 * @param configuredAt when Vite began to read its config; `performance.now()`
 */
export async function serveBeside(
  vite: ViteDevServer,
  { root, options, configuredAt }: { root: string; options: ServeOptions; configuredAt: number },
): Promise<void> {
  const before = running.get(root);
  // Even a host that is about to be replaced follows: it may be about to restart Vite for the same change.
  before?.followVite(configuredAt);
  if (before?.isFor(options)) {
    return;
  }
  // After a restart, Vite goes on with its first server object.
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
  /** Set if the host could not start; then the next restart of Vite makes another host. */
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

  /** Writes through Vite's logger, which has a level, a prefix and a screen of its own. */
  #createReporter(): Reporter {
    return createReporter({
      root: this.#root,
      json: this.#options.json ?? false,
      clearScreen: false,
      output: { write: (text) => this.vite.config.logger.info(text.trimEnd()) },
    });
  }
}
