import { SKIP_FILE } from '../../medusa/boot/file-config.ts';
import { compareScanOrder } from '../../medusa/boot/scan-order.ts';
import type { JobConfig, ScheduledJobs } from '../../medusa/events/scheduled-jobs.ts';
import { isEntry, kindOf } from '../../project/layout.ts';
import type { ReloadFile } from '../../protocol/messages.ts';
import type { Exports } from '../../shared/exports.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import { createStableFunction, type StableFunction } from '../reload/stable-function.ts';
import type { ReloadContext, ResourceReload, ResourceReloader } from './resource-reloader.ts';

/** The job of one file. If several share a name, Medusa runs the one that it loads last. */
interface Job {
  file: string;
  config: JobConfig;
  shape: string;
  handler: StableFunction;
}

/** Scheduled jobs: a new body is swapped in and the timer goes on; another name or schedule is a new job. */
export class JobsReloader implements ResourceReloader {
  readonly name = 'jobs';
  readonly #root: string;
  readonly #jobs: ScheduledJobs;
  /** By file. */
  readonly #known = new Map<string, Job>();
  /** By name: the job that runs. */
  readonly #registered = new Map<string, Job>();

  constructor(root: string, jobs: ScheduledJobs) {
    this.#root = root;
    this.#jobs = jobs;
  }

  accepts(file: string): boolean {
    const path = relativeToRoot(this.#root, file);
    return kindOf(path) === 'job' && isEntry(path);
  }

  /** Called for every file that Medusa's loaders import. */
  decorate(file: string, exports: Exports): Exports {
    const config = exports.config as JobConfig | undefined;
    if (!this.accepts(file) || !config?.name || exports[SKIP_FILE]) {
      return exports;
    }
    const job = createJob(file, config, exports.default);
    this.#known.set(file, job);
    this.#registered.set(config.name, job);
    return { ...exports, default: job.handler.call };
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload> {
    const commits: (() => void)[] = [];
    const resources: string[] = [];
    const names = new Set<string>();
    for (const { file, change } of this.#jobs.areLoaded
      ? files.filter(({ file }) => this.accepts(file))
      : []) {
      const exports = change === 'delete' ? undefined : await context.importFile(file);
      const known = this.#known.get(file);
      if (known) {
        names.add(known.config.name);
      }
      if (!exports || context.isDisabled(file)) {
        if (known) {
          commits.push(() => this.#known.delete(file));
          resources.push(`job ${known.config.name} (removed)`);
        }
        continue;
      }
      const config: unknown = exports.config;
      this.#assertValid(config, file);
      resources.push(`job ${config.name}`);
      names.add(config.name);
      const next = createJob(file, config, exports.default);
      commits.push(() => {
        if (known?.shape === next.shape) {
          known.handler.current = next.handler.current;
        } else {
          this.#known.set(file, next);
        }
      });
    }
    return {
      resources,
      commit: () => {
        for (const commit of commits) {
          commit();
        }
        this.#register(names);
      },
    };
  }

  /** Unregisters all old jobs before it registers the first new one: two files may trade their names. */
  #register(names: ReadonlySet<string>): void {
    const jobs = [...this.#known.values()].sort((a, b) => compareScanOrder(a.file, b.file));
    const next = new Map([...names].map((name) => [name, jobs.findLast(isNamed(name))] as const));
    for (const [name, job] of next) {
      if (!job && this.#registered.delete(name)) {
        this.#jobs.unregister(name);
      }
    }
    for (const [name, job] of next) {
      if (job && job !== this.#registered.get(name)) {
        this.#registered.set(name, job);
        this.#jobs.register(job.file, job.config, job.handler.call);
      }
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

function createJob(file: string, config: JobConfig, handler: unknown): Job {
  return {
    file,
    config,
    shape: JSON.stringify(config),
    handler: createStableFunction(isFunction(handler) ? handler : failing(file)),
  };
}

function isFunction(value: unknown): value is StableFunction['current'] {
  return typeof value === 'function';
}

/** As in stock Medusa, where a job without a function is scheduled, and fails when it runs. */
function failing(file: string): () => never {
  return () => {
    throw new TypeError(`\`${file}\` has no default export that is a function.`);
  };
}

function isNamed(name: string): (job: Job) => boolean {
  return ({ config }) => config.name === name;
}
