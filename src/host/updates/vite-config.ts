import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { InlineConfig, ViteDevServer } from 'vite';
import type { RestartReason } from '../../protocol/reason.ts';
import type { Change } from '../../shared/change.ts';
import { createDeferred, type Deferred } from '../../shared/deferred.ts';
import { relativeToRoot, toPosix } from '../../shared/paths.ts';
import { loadVite } from '../../vite/project-vite.ts';
import { untilFilled } from '../../vite/until-filled.ts';
import type { Batch } from './batch.ts';
import type { WatchedFiles } from './watched-files.ts';

export interface ViteConfigOptions {
  root: string;
  vite: ViteDevServer;
  files: Pick<WatchedFiles, 'tsconfigs' | 'addTsconfigs'>;
  /** Called when Vite was restarted and no plugin reports that. `configuredAt` is as for `noteRestart`. */
  onRestarted(configuredAt: number): void;
}

/** Vite's own files: its config, tsconfigs and, beside a front end, `.env`. A change of one restarts Vite. */
export class ViteConfig {
  readonly #options: ViteConfigOptions;
  /** When the running Vite began to read its config; `performance.now()`. */
  #configuredAt = Number.NEGATIVE_INFINITY;
  /** When a file that Vite reads last changed; `performance.now()`. */
  #changedAt = Number.NEGATIVE_INFINITY;
  /** Resolves at the next restart of Vite. */
  #restarted: Deferred<void> = createDeferred();

  constructor(options: ViteConfigOptions) {
    this.#options = options;
  }

  /** @param configuredAt when the running Vite began to read its config; `performance.now()` */
  noteRestart(configuredAt: number): void {
    this.#configuredAt = configuredAt;
    this.#restarted.resolve();
    this.#restarted = createDeferred();
  }

  /**
   * Has Vite read a changed `vite.config` before the app restarts with it. Beside a front end, Vite restarts by
   * itself, for the front end's `.env` files as well: then this waits for that restart.
   * @param changes of the batch and of the backlog
   * @returns the reason, if the app has to restart for such a change
   * @throws the error in the config
   */
  async update(changes: Change[], batch: Batch): Promise<RestartReason | undefined> {
    const { root, vite, files } = this.#options;
    const { configFile, configFileDependencies, envDir, mode, inlineConfig } = vite.config;
    const dependencies = new Set([configFile, ...configFileDependencies]);
    const envFiles = new Set(envDir === false ? [] : envFilesOf(toPosix(envDir), mode));
    const isConfig = ({ file }: Change) =>
      dependencies.has(file) || isConfigCandidate(file, inlineConfig);
    // Vite itself looks at files named `tsconfig.json` only, not at the files that they extend.
    const isTsconfig = ({ file }: Change) => files.tsconfigs.includes(file);
    const isEnv = ({ file }: Change) => envFiles.has(file);
    const isForVite = (change: Change) => isConfig(change) || isTsconfig(change) || isEnv(change);
    // The backlog is for the app: Vite may have read those changes long ago.
    if (batch.changes.some(isForVite)) {
      this.#changedAt = batch.until;
    }
    const changed = changes.find(isConfig);
    if (changed) {
      await untilFilled(changed.file);
      // Vite would print the error and go on with the old config, as if the change were good.
      const { loadConfigFromFile } = await loadVite(root);
      const { configFile: asked, root: folder } = inlineConfig;
      await loadConfigFromFile({ command: 'serve', mode }, asked || undefined, folder);
    }
    const tsconfig = changes.find(isTsconfig);
    // By now Vite may have restarted for the first files of the batch.
    const isOwnRestart =
      this.#configuredAt < batch.since &&
      batch.changes.some((change) => dependencies.has(change.file) || isEnv(change));
    await this.#restart({ isOwnRestart });
    if (tsconfig) {
      files.addTsconfigs();
    }
    const cause = changed ?? tsconfig;
    return cause && { type: 'files-changed', paths: [relativeToRoot(root, cause.file)] };
  }

  /** `isOwnRestart`: beside a front end, Vite restarts by itself for these changes. */
  async #restart({ isOwnRestart }: { isOwnRestart: boolean }): Promise<void> {
    const { vite } = this.#options;
    const isDue = () => this.#configuredAt < this.#changedAt;
    if (isOwnRestart && isDue() && vite.httpServer && vite.config.server.hmr !== false) {
      // Vite 8.3 would restart twice if the host asked for a restart as well.
      const limit = delay(OWN_RESTART_LIMIT_MS, undefined, { ref: false });
      await Promise.race([this.#restarted.promise, limit]);
    }
    // A restart that was under way may have read the config before the change.
    for (let tries = 0; tries < 2 && isDue(); tries++) {
      const startedAt = performance.now();
      const { config } = vite;
      await vite.restart();
      if (vite.config === config) {
        throw new Error('Vite could not restart with what was saved: it has said why.');
      }
      // A Vite with a server calls the plugin when its server listens.
      if (!vite.httpServer) {
        this.#options.onRestarted(startedAt);
      }
    }
  }
}

/** A restart takes some 100 ms, on a busy machine seconds; a failed one as long, but nothing reports its end. */
const OWN_RESTART_LIMIT_MS = 10_000;

/** Whether Vite, if given no config file, would find this one by its name. */
function isConfigCandidate(file: string, { configFile, root = '.' }: InlineConfig): boolean {
  const folder = toPosix(resolve(root));
  return configFile === undefined && dirname(file) === folder && VITE_CONFIG.test(file);
}

const VITE_CONFIG = /\/vite\.config\.[cm]?[jt]s$/;

function envFilesOf(directory: string, mode: string): string[] {
  return ['.env', '.env.local', `.env.${mode}`, `.env.${mode}.local`].map(
    (name) => `${directory}/${name}`,
  );
}
