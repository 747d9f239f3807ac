import type { MedusaContainer } from './boot.ts';
import type { MedusaPackages } from './packages.ts';
import type { WorkflowRegistry } from './workflow-registry.ts';

export interface JobConfig {
  name: string;
  schedule: unknown;
  numberOfExecutions?: number;
}

interface JobLoader {
  validateConfig(config: unknown): void;
  register(job: { path: string; config: JobConfig; handler: unknown }): void;
}
type JobLoaderClass = new (sourceDir: string[], container: MedusaContainer) => JobLoader;

/** A timer of the in-memory workflow engine. */
interface Timer {
  timer: NodeJS.Timeout;
  numberOfExecutions: number;
  config: unknown;
}

/**
 * Registers scheduled jobs as Medusa's loader does.
 * (`framework/dist/jobs/job-loader.js`, 2.12.1 to 2.21.2)
 */
export class ScheduledJobs {
  readonly #loader: JobLoaderClass;
  readonly #packages: MedusaPackages;
  readonly #registry: WorkflowRegistry;
  readonly #container: () => MedusaContainer;

  /** @param container Medusa's own, once the app is loaded. */
  constructor(
    packages: MedusaPackages,
    registry: WorkflowRegistry,
    container: () => MedusaContainer,
  ) {
    this.#packages = packages;
    this.#registry = registry;
    this.#container = container;
    const path = 'dist/jobs/job-loader.js';
    const exports = packages.require('@medusajs/framework', path);
    packages.assertReplaceable(exports, 'JobLoader', `@medusajs/framework/${path}`);
    this.#loader = exports.JobLoader as JobLoaderClass;
    const { prototype } = this.#loader as unknown as { prototype: Partial<JobLoader> };
    if (!prototype.validateConfig || !prototype.register) {
      throw packages.unexpected(`@medusajs/framework/${path}#JobLoader.register`);
    }
  }

  /** Jobs do not run in an app that only serves requests. */
  get areLoaded(): boolean {
    const config = this.#container().resolve<{ projectConfig?: { workerMode?: string } }>(
      'configModule',
    );
    return config.projectConfig?.workerMode !== 'server';
  }

  /** @throws what Medusa says of a config that misses something */
  assertValid(config: unknown): asserts config is JobConfig {
    const loader: JobLoader = this.#createLoader();
    loader.validateConfig(config);
  }

  register(path: string, config: JobConfig, handler: unknown): void {
    this.#registry.unregister(`job-${config.name}`);
    this.#createLoader().register({ path, config, handler });
  }

  unregister(name: string): void {
    this.#registry.unregister(`job-${name}`);
    this.#registry.clearSchedule(`job-${name}`);
  }

  /**
   * The in-memory engine sets the next timer of a job when a run of it ends, whatever became of the job
   * meanwhile: a job that is changed while it runs would go on with both schedules, or with the old one.
   * (`workflow-engine-inmemory/dist/utils/workflow-orchestrator-storage.js`, 2.12.1 to 2.21.2)
   */
  guardTimers(): void {
    const { WorkflowScheduler } = this.#packages.require(
      '@medusajs/orchestration',
      'dist/workflow/scheduler.js',
    ) as { WorkflowScheduler?: { storage?: { scheduled?: unknown } } };
    const storage = WorkflowScheduler?.storage;
    if (storage?.scheduled instanceof Map) {
      storage.scheduled = new GuardedTimers(storage.scheduled);
    }
  }

  #createLoader(): JobLoader {
    return new this.#loader([], this.#container());
  }
}

class GuardedTimers extends Map<string, Timer> {
  constructor(timers: Map<string, Timer>) {
    super();
    for (const [id, timer] of timers) {
      super.set(id, timer);
    }
  }

  override set(id: string, next: Timer): this {
    const current = this.get(id);
    const isContinuation = next.numberOfExecutions > 0;
    if (isContinuation && current?.config !== next.config) {
      // The run that ended belongs to a schedule that is no longer there.
      clearTimeout(next.timer);
      return this;
    }
    if (current && current !== next) {
      clearTimeout(current.timer);
    }
    return super.set(id, next);
  }
}
