import type { MedusaContainer } from '../boot/loaded-app.ts';
import type { MedusaPackages } from '../packages.ts';
import type { WorkflowRegistry } from '../workflows/workflow-registry.ts';

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

interface TimerStorage {
  scheduled: Map<string, Timer>;
  /** All timers that run; those of removed jobs stay in it. */
  pendingTimers: Set<NodeJS.Timeout>;
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
    const { schedule } = config as JobConfig;
    const cron = schedule instanceof Object ? Reflect.get(schedule, 'cron') : schedule;
    if (typeof cron === 'string') {
      this.#parseCron(cron);
    }
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
    ) as { WorkflowScheduler?: { storage?: Partial<TimerStorage> } };
    const storage = WorkflowScheduler?.storage;
    if (storage?.scheduled instanceof Map) {
      storage.scheduled = new GuardedTimers(storage.scheduled, storage.pendingTimers);
    }
  }

  /** As the in-memory engine does, which would forget a job that it cannot read in a promise that nobody awaits. */
  #parseCron(expression: string): void {
    const parser = this.#packages.tryRequireThrough(
      '@medusajs/workflow-engine-inmemory',
      'cron-parser',
    ) as { parseExpression?: (expression: string) => unknown } | undefined;
    parser?.parseExpression?.(expression);
  }

  #createLoader(): JobLoader {
    return new this.#loader([], this.#container());
  }
}

class GuardedTimers extends Map<string, Timer> {
  readonly #pending: Set<NodeJS.Timeout> | undefined;

  constructor(timers: Map<string, Timer>, pending: Set<NodeJS.Timeout> | undefined) {
    super();
    this.#pending = pending;
    for (const [id, timer] of timers) {
      super.set(id, timer);
    }
  }

  override set(id: string, next: Timer): this {
    const current = this.get(id);
    const isContinuation = next.numberOfExecutions > 0;
    if (isContinuation && current?.config !== next.config) {
      // The run that ended belongs to a schedule that is no longer there.
      this.#clear(next);
      return this;
    }
    if (current && current !== next) {
      this.#clear(current);
    }
    return super.set(id, next);
  }

  override delete(id: string): boolean {
    this.#clear(this.get(id));
    return super.delete(id);
  }

  #clear(entry: Timer | undefined): void {
    if (entry) {
      clearTimeout(entry.timer);
      this.#pending?.delete(entry.timer);
    }
  }
}
