import { afterEach } from 'vitest';
import { WorkflowsReloader } from '../../../../src/app/reloaders/workflows.ts';
import type { FileConfigs } from '../../../../src/medusa/boot/file-config.ts';
import { MedusaPackages } from '../../../../src/medusa/packages.ts';
import { HookRegistry } from '../../../../src/medusa/workflows/hook-registry.ts';
import { RunningWorkflows } from '../../../../src/medusa/workflows/running-workflows.ts';
import { WorkflowRegistry } from '../../../../src/medusa/workflows/workflow-registry.ts';
import { WorkflowStore } from '../../../../src/medusa/workflows/workflow-store.ts';
import { REPOSITORY } from '../../../e2e/support/repository.ts';
import { type MemoryApp, project } from './memory-app.ts';
import type { Files } from './memory-host.ts';

/** A workflow that is exported, or that the engine has. */
export interface Workflow {
  run(options: { input?: unknown; throwOnError?: boolean; transactionId?: string }): Promise<{
    result: unknown;
    errors: { error: Error }[];
    transaction: { transactionId: string; hasFinished(): boolean };
  }>;
  registerStepSuccess(options: {
    idempotencyKey: string;
    response?: unknown;
  }): ReturnType<Workflow['run']>;
  registerStepFailure(options: {
    idempotencyKey: string;
    throwOnError?: boolean;
  }): Promise<unknown>;
}

type MakeWorkflow = (container: object) => Workflow;

export interface WorkflowApp extends MemoryApp {
  /** The export of the file: `flow`, or the one that is named. */
  workflow(path: string, name?: string): Workflow;
  /** The workflow that the engine finds by this id. */
  byId(id: string): Workflow | undefined;
}

/** Changes of timers, as `set <id> <schedule>` and `clear <id>`. */
export const schedules: string[] = [];

// Medusa's own registries exist once in a process: each test removes what it has registered.
const packages = new MedusaPackages(REPOSITORY);
export const store: WorkflowStore = new WorkflowStore(packages);
Object.assign(store.manager.scheduler, {
  scheduleWorkflow: async ({ id, options }: { id: string; options: { schedule?: unknown } }) =>
    void (options.schedule && schedules.push(`set ${id} ${JSON.stringify(options.schedule)}`)),
  clearWorkflow: async ({ id }: { id: string }) => void schedules.push(`clear ${id}`),
});
let current: MemoryApp | undefined;
const owner = () => current?.runner.evaluating;
const running = new RunningWorkflows(packages, store);
export const workflows: WorkflowRegistry = new WorkflowRegistry(packages, store, owner);
const hooks = new HookRegistry({
  packages,
  owner,
  handlersOf: (id) => workflows.handlersOf(id),
  beforeChange: (id) => running.preserve(id),
});

/** Workflows of a project in memory in Medusa's own registries; all files of `src/workflows` are loaded. */
export async function workflowProject(files: Files): Promise<WorkflowApp> {
  const fileConfigs: { current?: FileConfigs } = {};
  const reloader = new WorkflowsReloader({
    registry: workflows,
    fileConfigs: {
      isDisabled: (file: string) => !!fileConfigs.current?.isDisabled(file),
    } as FileConfigs,
    loadsIndexFiles: true,
  });
  const app = await project(files, { reloaders: [reloader], registries: [workflows, hooks] });
  fileConfigs.current = app.fileConfigs;
  current = app;
  for (const path of app.host.paths.filter((one) => /^src\/workflows\/[^_]*$/.test(one))) {
    await app.load(path);
  }
  app.takeEvaluated();
  return Object.assign(app, {
    workflow: (path: string, name = 'flow') => {
      const make = app.exportsOf(path)?.[name] as MakeWorkflow;
      return make({});
    },
    byId: (id: string) => store.engine.getWorkflow(id) as Workflow | undefined,
  });
}

afterEach(() => {
  const all = new Set(current?.host.paths.map((path) => current?.host.fileOf(path) ?? ''));
  for (const registry of [workflows, hooks]) {
    registry.begin(all);
    registry.commit();
  }
  schedules.splice(0);
});
