import type { MedusaPackages } from '../packages.ts';
import { type ExecutionContext, type Executions, keyOf } from './executions.ts';
import type { StoredTransactions } from './stored-transactions.ts';
import { LOCAL_METHODS, type LocalMethod, transactionOf } from './workflow-methods.ts';
import type { WorkflowDefinition, WorkflowSnapshot, WorkflowStore } from './workflow-store.ts';

/** What `wf(container)` gives, and what the engine makes anew for each thing that it does with an execution. */
interface LocalWorkflow {
  workflowId: string;
  workflow: WorkflowDefinition;
  flow: { hasChanges: boolean };
}
interface Transaction {
  hasFinished(): boolean;
}
type Method = (this: LocalWorkflow, ...args: unknown[]) => Promise<Transaction>;
type LocalWorkflowClass = (new (
  id: string,
) => LocalWorkflow) & {
  prototype: Record<string, Method>;
};

export interface LocalWorkflowsOptions {
  packages: MedusaPackages;
  store: WorkflowStore;
  executions: Executions;
  transactions: StoredTransactions;
}

/**
 * Starts each execution with the workflows as they are, and goes on with it with the same ones.
 * (`orchestration/dist/workflow/local-workflow.js`, the same in 2.12.1 and 2.21.2)
 */
export class LocalWorkflows {
  readonly #store: WorkflowStore;
  readonly #executions: Executions;
  readonly #transactions: StoredTransactions;
  readonly #exports: Record<string, unknown>;
  readonly #original: LocalWorkflowClass;
  /** While Medusa looks for the workflow to make a `LocalWorkflow` of. */
  #isCreating = false;

  constructor({ packages, store, executions, transactions }: LocalWorkflowsOptions) {
    this.#store = store;
    this.#executions = executions;
    this.#transactions = transactions;
    const path = 'dist/workflow/local-workflow.js';
    const exports = packages.require('@medusajs/orchestration', path);
    packages.assertReplaceable(exports, 'LocalWorkflow', `@medusajs/orchestration/${path}`);
    this.#exports = exports;
    this.#original = exports.LocalWorkflow as LocalWorkflowClass;
    const where = `@medusajs/orchestration/${path}#LocalWorkflow`;
    packages.assertMethods(this.#original.prototype, where, LOCAL_METHODS);
  }

  /** To be called once. */
  install(): void {
    this.#exports.LocalWorkflow = this.#findingRemoved();
    this.#replaceMethods(this.#original.prototype);
  }

  /** Whoever holds an exported workflow whose id is gone can go on with its executions. */
  #findingRemoved(): LocalWorkflowClass {
    const { manager } = this.#store;
    const getWorkflow = manager.getWorkflow;
    manager.getWorkflow = (id) =>
      getWorkflow.call(manager, id) ??
      (this.#isCreating ? this.#executions.workflowsWith(id)?.definitions.get(id) : undefined);
    return new Proxy(this.#original, {
      construct: (target, args, newTarget) => {
        this.#isCreating = true;
        try {
          return Reflect.construct(target, args, newTarget);
        } finally {
          this.#isCreating = false;
        }
      },
    });
  }

  #replaceMethods(prototype: LocalWorkflowClass['prototype']): void {
    const run = this.#run.bind(this);
    const goOn = this.#goOn.bind(this);
    for (const name of LOCAL_METHODS) {
      const method = prototype[name] as Method;
      prototype[name] =
        name === 'run'
          ? function (...args) {
              return run(this, method, args);
            }
          : function (...args) {
              return goOn(this, name, { method, args });
            };
    }
  }

  async #run(local: LocalWorkflow, method: Method, args: unknown[]): Promise<Transaction> {
    const [transactionId, , context] = args as [string, unknown, ExecutionContext | undefined];
    const id = local.workflowId;
    const parent = this.#executions.parentOf(context);
    const present = this.#executions.get(id, transactionId);
    // Two that nobody can go on with have nothing but their name in common.
    const known = present?.isStored ? present : undefined;
    const workflows = known?.workflows ?? parent?.workflows ?? this.#store.shown;
    if (!workflows.definitions.has(id)) {
      // Throws what Medusa says of an id that is gone.
      new this.#original(id);
    }
    const execution = known ?? {
      key: keyOf(id, transactionId),
      workflows,
      isStored: !!workflows.definitions.get(id)?.orchestrator.options?.store,
      nested: [],
    };
    this.#executions.add(execution);
    let hasEnded = !execution.isStored;
    try {
      const act = () => method.apply(local, args);
      const transaction = await (known || parent ? this.#with(workflows, local, act) : act());
      hasEnded ||= transaction.hasFinished();
      return transaction;
    } catch (error) {
      hasEnded ||= !known && !(await this.#transactions.has(id, transactionId));
      throw error;
    } finally {
      if (hasEnded) {
        this.#executions.end(execution, context);
      }
    }
  }

  async #goOn(
    local: LocalWorkflow,
    name: LocalMethod,
    { method, args }: { method: Method; args: unknown[] },
  ): Promise<Transaction> {
    const execution = this.#executions.get(local.workflowId, transactionOf(name, args[0]));
    const act = () => method.apply(local, args);
    if (!execution) {
      return act();
    }
    const transaction = await this.#with(execution.workflows, local, act);
    if (name !== 'getRunningTransaction' && transaction.hasFinished()) {
      this.#executions.end(execution, args[2] as ExecutionContext | undefined);
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
}
