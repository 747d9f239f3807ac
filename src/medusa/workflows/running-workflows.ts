import type { MedusaPackages } from '../packages.ts';
import { Executions } from './executions.ts';
import { replaceEngineLookup } from './exported-workflows.ts';
import { LocalWorkflows } from './local-workflows.ts';
import { StoredTransactions } from './stored-transactions.ts';
import type { WorkflowStore } from './workflow-store.ts';

/**
 * An execution may wait, for somebody to say that a step of it succeeded or for the time of a retry, and Medusa looks
 * its workflow up by id when it goes on. Here each execution is remembered with the workflows as they were at its
 * start, and goes on with those. What was started by another process is not known, and goes on with what serves.
 *
 * Medusa looks a workflow up in three places, and always before it first waits, so that each lookup can be answered
 * differently for one execution: the exported workflow, the one that is made for a call, and the stored transaction.
 */
export class RunningWorkflows {
  readonly #store: WorkflowStore;
  readonly #executions = new Executions();

  constructor(packages: MedusaPackages, store: WorkflowStore) {
    this.#store = store;
    const executions = this.#executions;
    const transactions = new StoredTransactions(packages, store, executions);
    new LocalWorkflows({ packages, store, executions, transactions }).install();
    transactions.install();
    replaceEngineLookup(store, executions);
  }

  /** Before the handlers of a workflow change in place: who runs it keeps those that there are now. */
  preserve(id: string): void {
    const { manager, shown } = this.#store;
    const serving = shown.definitions.get(id);
    const handlers = serving && new Map(serving.handlers_);
    for (const { workflows } of this.#executions.all) {
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
}
