import { createStableFunction, type StableFunction } from '../child/stable-function.ts';
import { SKIP_FILE } from '../medusa/file-config.ts';
import type { JobConfig, ScheduledJobs } from '../medusa/scheduled-jobs.ts';
import type { ReloadFile } from '../protocol/messages.ts';
import { relativeToRoot } from '../protocol/paths.ts';
import type { PreparedReload, ReloadContext, Reloader } from './reloader.ts';
import type { Exports } from './routes.ts';
import { isScanned } from './scanned-files.ts';

interface Registered {
  name: string;
  shape: string;
  handler: StableFunction;
}

/** Scheduled jobs: a new body is swapped in and the timer goes on; another name or schedule is a new job. */
export class JobsReloader implements Reloader {
  readonly name = 'jobs';
  readonly #root: string;
  readonly #jobs: ScheduledJobs;
  readonly #registered = new Map<string, Registered>();

  constructor(root: string, jobs: ScheduledJobs) {
    this.#root = root;
    this.#jobs = jobs;
  }

  accepts(file: string): boolean {
    return isScanned(relativeToRoot(this.#root, file), 'jobs');
  }

  /** Called for every file that Medusa's loaders import. */
  decorate(file: string, exports: Exports): Exports {
    const config = exports.config as JobConfig | undefined;
    const isJob = this.accepts(file) && !!config?.name && !exports[SKIP_FILE];
    return isJob ? { ...exports, default: this.#register(file, config, exports.default) } : exports;
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<PreparedReload> {
    const removals: (() => void)[] = [];
    const additions: (() => void)[] = [];
    const resources: string[] = [];
    for (const { file, change } of this.#jobs.areLoaded
      ? files.filter(({ file }) => this.accepts(file))
      : []) {
      const exports = change === 'delete' ? undefined : await context.importFile(file);
      const known = this.#registered.get(file);
      if (!exports || context.isDisabled(file)) {
        if (known) {
          removals.push(() => this.#remove(file, known));
          resources.push(`job ${known.name} (removed)`);
        }
        continue;
      }
      const config: unknown = exports.config;
      this.#assertValid(config, file);
      resources.push(`job ${config.name}`);
      if (known?.shape === JSON.stringify(config)) {
        additions.push(() => {
          known.handler.current = exports.default as StableFunction['current'];
        });
        continue;
      }
      if (known && known.name !== config.name) {
        removals.push(() => this.#remove(file, known));
      }
      additions.push(() => {
        this.#jobs.register(file, config, this.#register(file, config, exports.default));
      });
    }
    return {
      resources,
      commit: () => {
        for (const commit of [...removals, ...additions]) {
          commit();
        }
      },
    };
  }

  #register(file: string, config: JobConfig, handler: unknown): StableFunction['call'] {
    const stable = createStableFunction(handler as StableFunction['current']);
    const { name } = config;
    this.#registered.set(file, { name, shape: JSON.stringify(config), handler: stable });
    return stable.call;
  }

  #remove(file: string, { name }: Registered): void {
    this.#registered.delete(file);
    const isTakenOver = [...this.#registered.values()].some((other) => other.name === name);
    if (!isTakenOver) {
      this.#jobs.unregister(name);
    }
  }

  #assertValid(config: unknown, file: string): asserts config is JobConfig {
    try {
      const jobs: ScheduledJobs = this.#jobs;
      jobs.assertValid(config);
    } catch (error) {
      throw Object.assign(error as Error, { file });
    }
  }
}
