import { expect, it } from 'vitest';
import { MedusaPackages } from '../../../../src/medusa/packages.ts';
import { RunningWorkflows } from '../../../../src/medusa/workflows/running-workflows.ts';
import {
  type WorkflowDefinition,
  WorkflowStore,
} from '../../../../src/medusa/workflows/workflow-store.ts';

interface Context {
  parentStepIdempotencyKey?: string;
}

/** As much of Medusa's orchestration as executions are made of; a version is the name of a handler. */
function createMedusa() {
  const finished = new Set<string>();
  const WorkflowManager = {
    workflows: new Map<string, WorkflowDefinition>(),
    scheduler: { scheduleWorkflow: async () => {} },
    getWorkflow: (id: string) => WorkflowManager.workflows.get(id),
    buildHandlers: () => () => {},
  };
  const MedusaWorkflow = {
    workflows: {} as Record<string, unknown>,
    getWorkflow: (id: string) => MedusaWorkflow.workflows[id],
    registerWorkflow: () => {},
  };
  const TransactionOrchestrator = {
    workflowOptions: {} as Record<string, unknown>,
    clone: (orchestrator: object) => ({ ...orchestrator }),
  };
  class LocalWorkflow {
    readonly flow = { hasChanges: false };
    readonly workflowId: string;
    workflow: WorkflowDefinition;
    constructor(workflowId: string) {
      this.workflowId = workflowId;
      const workflow = WorkflowManager.getWorkflow(workflowId);
      if (!workflow) {
        throw new Error(`Workflow with id "${workflowId}" not found.`);
      }
      this.workflow = workflow;
    }
    async run(transaction: string, _input?: unknown, _context?: Context) {
      return this.#act(transaction);
    }
    async registerStepSuccess(key: string, _input?: unknown, _context?: Context) {
      return this.#act(key.split(':')[1]);
    }
    async registerStepFailure() {}
    async retryStep() {}
    async cancel(transaction: string) {
      return this.#act(transaction);
    }
    async getRunningTransaction(transaction: string) {
      return this.#act(transaction);
    }
    #act(transaction = '') {
      return { version: versionOf(this.workflow), hasFinished: () => finished.has(transaction) };
    }
  }
  const stored: unknown[] = [];
  class DistributedTransaction {
    static async loadTransaction(id: string, _transaction: string): Promise<unknown> {
      stored.push(TransactionOrchestrator.workflowOptions[id]);
      return null;
    }
    readonly modelId: string;
    readonly transactionId: string;
    constructor(modelId: string, transactionId: string) {
      this.modelId = modelId;
      this.transactionId = transactionId;
    }
    async saveCheckpoint() {
      stored.push(TransactionOrchestrator.workflowOptions[this.modelId]);
    }
  }
  const exports = {
    WorkflowManager,
    MedusaWorkflow,
    TransactionOrchestrator,
    LocalWorkflow,
    DistributedTransaction,
  };
  const packages = Object.assign(Object.create(MedusaPackages.prototype), {
    version: '2.0.0',
    require: () => exports,
  }) as MedusaPackages;
  const store = new WorkflowStore(packages);
  const running = new RunningWorkflows(packages, store);
  /** As a reload does. */
  const serve = (versions: Record<string, string>) => {
    const entries = Object.entries(versions);
    store.show({
      definitions: new Map(entries.map(([id, version]) => [id, define(id, version)])),
      runners: Object.fromEntries(
        entries.map(([id, version]) => [
          id,
          Object.assign(() => {}, { run: async () => version, cancel: async () => version }),
        ]),
      ),
      options: versions,
    });
  };
  return {
    exports,
    store,
    running,
    serve,
    stored,
    finish: (transaction: string) => finished.add(transaction),
    create: (id: string) => new exports.LocalWorkflow(id),
  };
}

function define(id: string, version: string): WorkflowDefinition {
  return {
    id,
    options: {},
    flow_: {},
    handlers_: new Map([['step', version]]),
    handler: () => {},
    orchestrator: { options: { store: true } },
  };
}

function versionOf({ handlers_: handlers }: WorkflowDefinition): unknown {
  return handlers.get('step');
}

it('goes on with an execution with the workflow that it began with, until it has finished', async () => {
  const { serve, create, finish } = createMedusa();
  serve({ sync: 'old' });
  expect(await create('sync').run('t1')).toMatchObject({ version: 'old' });
  serve({ sync: 'new' });
  const key = 'sync:t1:step:invoke';
  expect(await create('sync').registerStepSuccess(key)).toMatchObject({ version: 'old' });
  expect(await create('sync').getRunningTransaction('t1')).toMatchObject({ version: 'old' });
  expect(await create('sync').run('t2')).toMatchObject({ version: 'new' });
  finish('t1');
  expect(await create('sync').registerStepSuccess(key)).toMatchObject({ version: 'old' });
  expect(await create('sync').cancel('t1')).toMatchObject({ version: 'new' });
});

it('finds a workflow whose id is gone as long as an execution of it goes on', async () => {
  const { serve, create, finish } = createMedusa();
  serve({ sync: 'old' });
  await create('sync').run('t1');
  serve({});
  const gone = create('sync');
  await expect(gone.run('t2')).rejects.toThrow('not found');
  finish('t1');
  expect(await gone.cancel('t1')).toMatchObject({ version: 'old' });
  expect(() => create('sync')).toThrow('not found');
});

it('runs a step that is a workflow as it was when the outer one began, and takes it back so', async () => {
  const { serve, create, finish } = createMedusa();
  serve({ outer: 'old', inner: 'old' });
  await create('outer').run('t1');
  serve({ outer: 'new', inner: 'new' });
  const context = { parentStepIdempotencyKey: 'outer:t1:step:invoke' };
  finish('t2');
  expect(await create('inner').run('t2', {}, context)).toMatchObject({ version: 'old' });
  expect(await create('inner').cancel('t2')).toMatchObject({ version: 'old' });
  finish('t1');
  await create('outer').cancel('t1');
  expect(await create('inner').cancel('t2')).toMatchObject({ version: 'new' });
});

it('gives the engine the runner that an execution began with', async () => {
  const { serve, create, store } = createMedusa();
  serve({ sync: 'old' });
  await create('sync').run('t1');
  serve({ sync: 'new' });
  const runner = store.engine.getWorkflow('sync') as Record<string, (args: object) => unknown>;
  expect(await runner.cancel?.({ transactionId: 't1' })).toBe('old');
  expect(await runner.cancel?.({ transaction: { transactionId: 't1' } })).toBe('old');
  expect(await runner.run?.({ context: { transactionId: 't1' } })).toBe('old');
  expect(await runner.run?.({ transactionId: 't2' })).toBe('new');
});

it('stores a transaction by the options that its execution began with', async () => {
  const { exports, serve, create, stored } = createMedusa();
  serve({ sync: 'old' });
  await create('sync').run('t1');
  serve({ sync: 'new' });
  const { DistributedTransaction } = exports;
  await new DistributedTransaction('sync', 't1').saveCheckpoint();
  await DistributedTransaction.loadTransaction('sync', 't1');
  await new DistributedTransaction('sync', 't2').saveCheckpoint();
  expect(stored).toEqual(['old', 'old', 'new']);
  expect(exports.TransactionOrchestrator.workflowOptions).toEqual({ sync: 'new' });
});

it('keeps the handlers of those that run when they change in place', async () => {
  const { serve, create, running, store } = createMedusa();
  serve({ sync: 'old' });
  await create('sync').run('t1');
  // A reload of something else: the same definition, in other maps.
  const { definitions, runners, options } = store.shown;
  store.show({ definitions: new Map(definitions), runners: { ...runners }, options });
  running.preserve('sync');
  store.shown.definitions.get('sync')?.handlers_.set('step', 'hooked');
  expect(await create('sync').cancel('t1')).toMatchObject({ version: 'old' });
  expect(await create('sync').run('t2')).toMatchObject({ version: 'hooked' });
});
