import type { MedusaPackages } from '../packages.ts';
import type { WorkflowDefinition, WorkflowSnapshot, WorkflowStore } from './workflow-store.ts';

/** One execution, from its start until nobody can go on with it any more. */
interface Execution {
  /** The workflows as they were when it, or the execution that it is a step of, began. */
  workflows: WorkflowSnapshot;
  /** Others can go on with it: a response to a step, a timer. */
  isStored: boolean;
  /** Executions that are steps of this one and have ended: this one may yet take them back. */
  nested: string[];
}

/** What `wf(container)` gives, and what the engine makes anew for each thing that it does with an execution. */
interface LocalWorkflow {
  workflowId: string;
  workflow: WorkflowDefinition;
  flow: { hasChanges: boolean };
}
interface Transaction {
  transactionId: string;
  hasFinished(): boolean;
}
type LocalMethod = (this: LocalWorkflow, ...args: unknown[]) => Promise<Transaction>;

interface StoredTransaction {
  modelId: string;
  transactionId: string;
}
interface DistributedTransactionClass {
  prototype: { saveCheckpoint(this: StoredTransaction, ...args: unknown[]): Promise<unknown> };
  loadTransaction(modelId: string, transactionId: string, ...rest: unknown[]): Promise<unknown>;
}

/** Which execution a method of an exported workflow is about. */
interface RunnerArgs {
  idempotencyKey?: string;
  transactionId?: string;
  transaction?: { transactionId?: string };
  context?: { transactionId?: string; parentStepIdempotencyKey?: string };
}
type Runner = ((container?: unknown) => unknown) & Record<RunnerMethod, RunnerFunction>;
type RunnerFunction = (args?: RunnerArgs) => Promise<unknown>;

const RUNNER_METHODS = [
  'run',
  'registerStepSuccess',
  'registerStepFailure',
  'retryStep',
  'cancel',
] as const;
type RunnerMethod = (typeof RUNNER_METHODS)[number];

const LOCAL_METHODS = [...RUNNER_METHODS, 'getRunningTransaction'] as const;
type LocalMethodName = (typeof LOCAL_METHODS)[number];

/**
 * An execution may wait, for somebody to say that a step of it succeeded or for the time of a retry, and Medusa looks
 * its workflow up by id when it goes on. Here each execution is remembered with the workflows as they were at its
 * start, and goes on with those. What was started by another process is not known, and goes on with what serves.
 *
 * Everything that Medusa looks up it does so before it first waits, so that a lookup can be answered differently for
 * one execution. (`orchestration/dist/workflow/local-workflow.js`, `workflows-sdk/dist/helper/workflow-export.js`,
 * `orchestration/dist/transaction/distributed-transaction.js`; the same in 2.12.1 and 2.21.2)
 */
export class RunningWorkflows {
  readonly #store: WorkflowStore;
  /** By the id of the workflow and that of the transaction. */
  readonly #executions = new Map<string, Execution>();
  readonly #loadTransaction: DistributedTransactionClass['loadTransaction'];
  readonly #createLocalWorkflow: (id: string) => unknown;
  /** While Medusa looks for the workflow to make a `LocalWorkflow` of. */
  #isCreating = false;

  constructor(packages: MedusaPackages, store: WorkflowStore) {
    this.#store = store;
    const localPath = 'dist/workflow/local-workflow.js';
    const local = packages.require('@medusajs/orchestration', localPath);
    packages.assertReplaceable(local, 'LocalWorkflow', `@medusajs/orchestration/${localPath}`);
    const LocalWorkflow = local.LocalWorkflow as (new (
      id: string,
    ) => LocalWorkflow) & {
      prototype: Record<string, LocalMethod>;
    };
    const path = 'dist/transaction/distributed-transaction.js';
    const { DistributedTransaction } = packages.require('@medusajs/orchestration', path);
    const transactions = DistributedTransaction as DistributedTransactionClass;
    for (const [object, name, where] of [
      ...LOCAL_METHODS.map((name) => [LocalWorkflow.prototype, name, localPath] as const),
      [transactions?.prototype, 'saveCheckpoint', path],
      [transactions, 'loadTransaction', path],
    ] as const) {
      if (typeof Object(object)[name] !== 'function') {
        throw packages.unexpected(`@medusajs/orchestration/${where}#${name}`);
      }
    }
    this.#createLocalWorkflow = (id) => new LocalWorkflow(id);
    this.#loadTransaction = transactions.loadTransaction.bind(transactions);
    local.LocalWorkflow = this.#findingRemoved(LocalWorkflow);
    this.#replaceMethods(LocalWorkflow.prototype);
    this.#replaceEngineLookup();
    this.#replaceOptionsLookup(transactions);
  }

  /** Before the handlers of a workflow change in place: who runs it keeps those that there are now. */
  preserve(id: string): void {
    const { manager, shown } = this.#store;
    const serving = shown.definitions.get(id);
    const handlers = serving && new Map(serving.handlers_);
    for (const { workflows } of this.#executions.values()) {
      const definition = workflows.definitions.get(id);
      if (
        handlers &&
        definition?.handlers_ === serving.handlers_ &&
        workflows.definitions !== shown.definitions
      ) {
        workflows.definitions.set(id, {
          ...definition,
          handlers_: handlers,
          handler: manager.buildHandlers(handlers),
        });
      }
    }
  }

  /** Whoever holds an exported workflow whose id is gone can go on with its executions. */
  #findingRemoved<T extends object>(LocalWorkflow: T): T {
    const { manager } = this.#store;
    const getWorkflow = manager.getWorkflow;
    manager.getWorkflow = (id) =>
      getWorkflow.call(manager, id) ??
      (this.#isCreating ? this.#find(id, ({ definitions }) => definitions.get(id)) : undefined);
    return new Proxy(LocalWorkflow, {
      construct: (target, args, newTarget) => {
        this.#isCreating = true;
        try {
          return Reflect.construct(target as never, args, newTarget);
        } finally {
          this.#isCreating = false;
        }
      },
    });
  }

  #replaceMethods(prototype: Record<string, LocalMethod>): void {
    const running = this;
    for (const name of LOCAL_METHODS) {
      const method = prototype[name] as LocalMethod;
      prototype[name] =
        name === 'run'
          ? function (...args) {
              return running.#run(this, method, args);
            }
          : function (...args) {
              return running.#goOn(this, name, { method, args });
            };
    }
  }

  async #run(local: LocalWorkflow, method: LocalMethod, args: unknown[]): Promise<Transaction> {
    const [transactionId, , context] = args as [string, unknown, RunnerArgs['context']];
    const id = local.workflowId;
    const key = keyOf(id, transactionId);
    const parent = this.#parentOf(context);
    const present = this.#executions.get(key);
    // Two that nobody can go on with have nothing but their name in common.
    const known = present?.isStored ? present : undefined;
    const workflows = known?.workflows ?? parent?.workflows ?? this.#store.shown;
    if (!workflows.definitions.has(id)) {
      // Throws what Medusa says of an id that is gone.
      this.#createLocalWorkflow(id);
    }
    const execution = known ?? {
      workflows,
      isStored: !!workflows.definitions.get(id)?.orchestrator.options?.store,
      nested: [],
    };
    this.#executions.set(key, execution);
    let hasEnded = !execution.isStored;
    try {
      const act = () => method.apply(local, args);
      const transaction = await (known || parent ? this.#with(workflows, local, act) : act());
      hasEnded ||= transaction.hasFinished();
      return transaction;
    } catch (error) {
      hasEnded ||= !known && !(await this.#isThere(id, transactionId));
      throw error;
    } finally {
      if (hasEnded && this.#executions.get(key) === execution) {
        this.#end(key, context);
      }
    }
  }

  async #goOn(
    local: LocalWorkflow,
    name: LocalMethodName,
    { method, args }: { method: LocalMethod; args: unknown[] },
  ): Promise<Transaction> {
    const key = keyOf(local.workflowId, transactionOf(name, args[0]));
    const execution = this.#executions.get(key);
    const act = () => method.apply(local, args);
    if (!execution) {
      return act();
    }
    const transaction = await this.#with(execution.workflows, local, act);
    const isOver = name !== 'getRunningTransaction' && transaction.hasFinished();
    if (isOver && this.#executions.get(key) === execution) {
      this.#end(key, args[2] as RunnerArgs['context']);
    }
    return transaction;
  }

  /** Lets a method that looks at `workflow` before it first waits see the one that the execution has. */
  #with<T>({ definitions }: WorkflowSnapshot, local: LocalWorkflow, act: () => T): T {
    const definition = definitions.get(local.workflowId);
    const { workflow } = local;
    if (!definition || definition.handlers_ === workflow.handlers_ || local.flow.hasChanges) {
      return act();
    }
    const orchestrator = this.#store.orchestrator.clone(definition.orchestrator);
    local.workflow = { ...definition, orchestrator };
    try {
      return act();
    } finally {
      local.workflow = workflow;
    }
  }

  #replaceEngineLookup(): void {
    const { engine } = this.#store;
    const getWorkflow = engine.getWorkflow;
    engine.getWorkflow = (id) => {
      const serving = getWorkflow.call(engine, id) as Runner | undefined;
      if (this.#executions.size === 0) {
        return serving;
      }
      const runner = serving ?? this.#find(id, ({ runners }) => runners[id] as Runner | undefined);
      return runner && this.#dispatching(id, runner);
    };
  }

  /** What a workflow makes of the results of its steps is in its runner. */
  #dispatching(id: string, serving: Runner): Runner {
    const runner = (container?: unknown) => serving(container);
    for (const name of RUNNER_METHODS) {
      Object.assign(runner, {
        [name]: (args: RunnerArgs = {}) => {
          const { context, transaction, idempotencyKey } = args;
          const transactionId =
            (idempotencyKey === undefined ? undefined : transactionOf(name, idempotencyKey)) ??
            transaction?.transactionId ??
            args.transactionId ??
            context?.transactionId;
          const execution =
            this.#executions.get(keyOf(id, transactionId)) ?? this.#parentOf(context);
          const own = execution?.workflows.runners[id] as Runner | undefined;
          return (own ?? serving)[name](args);
        },
      });
    }
    return runner as Runner;
  }

  #replaceOptionsLookup(transactions: DistributedTransactionClass): void {
    const { orchestrator } = this.#store;
    const within = <T>(id: string, transactionId: string, act: () => T): T => {
      const execution = this.#executions.get(keyOf(id, transactionId));
      const shown = orchestrator.workflowOptions;
      if (!execution || execution.workflows.options === shown) {
        return act();
      }
      orchestrator.workflowOptions = execution.workflows.options;
      try {
        return act();
      } finally {
        orchestrator.workflowOptions = shown;
      }
    };
    const { prototype, loadTransaction } = transactions;
    const { saveCheckpoint } = prototype;
    prototype.saveCheckpoint = function (...args) {
      return within(this.modelId, this.transactionId, () => saveCheckpoint.apply(this, args));
    };
    transactions.loadTransaction = (id, transactionId, ...rest) =>
      within(id, transactionId, () =>
        loadTransaction.call(transactions, id, transactionId, ...rest),
      );
  }

  /** A step that is a workflow may be taken back as long as the workflow that it is a step of goes on. */
  #end(key: string, context: RunnerArgs['context']): void {
    const parent = this.#parentOf(context);
    if (parent) {
      parent.nested.push(key);
    } else {
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    const execution = this.#executions.get(key);
    this.#executions.delete(key);
    for (const nested of execution?.nested ?? []) {
      this.#forget(nested);
    }
  }

  #parentOf(context: RunnerArgs['context']): Execution | undefined {
    const key = context?.parentStepIdempotencyKey;
    if (key === undefined) {
      return undefined;
    }
    const [id = '', transactionId] = key.split(':');
    return this.#executions.get(keyOf(id, transactionId));
  }

  /** Looks through the versions that still run, the newest first. */
  #find<T>(id: string, read: (workflows: WorkflowSnapshot) => T | undefined): T | undefined {
    const { workflows } =
      [...this.#executions.values()].findLast((one) => one.workflows.definitions.has(id)) ?? {};
    return workflows && read(workflows);
  }

  async #isThere(id: string, transactionId: string): Promise<boolean> {
    try {
      return (await this.#loadTransaction(id, transactionId)) !== null;
    } catch {
      return false;
    }
  }
}

function keyOf(workflowId: string, transactionId: string | undefined): string {
  return `${workflowId}:${transactionId}`;
}

/** The id of the transaction in what Medusa calls the methods of a workflow with. */
function transactionOf(method: LocalMethodName, value: unknown): string | undefined {
  if (typeof value !== 'string') {
    const { transactionId, flow } = Object(value) as Partial<Transaction> & {
      flow?: { transactionId: string };
    };
    return transactionId ?? flow?.transactionId;
  }
  // `<workflow>:<transaction>:<step>:<invoke or compensate>`
  return method === 'cancel' || method === 'getRunningTransaction' ? value : value.split(':')[1];
}
