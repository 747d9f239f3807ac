import type { MedusaPackages } from '../packages.ts';
import type { Executions } from './executions.ts';
import type { WorkflowStore } from './workflow-store.ts';

interface StoredTransaction {
  modelId: string;
  transactionId: string;
}
interface DistributedTransactionClass {
  prototype: { saveCheckpoint(this: StoredTransaction, ...args: unknown[]): Promise<unknown> };
  loadTransaction(modelId: string, transactionId: string, ...rest: unknown[]): Promise<unknown>;
}

/**
 * Transactions as Medusa stores them: by the options of their workflow, which it looks up by id. Those of an
 * execution are the ones that it began with.
 * (`orchestration/dist/transaction/distributed-transaction.js`, the same in 2.12.1 and 2.21.2)
 */
export class StoredTransactions {
  readonly #store: WorkflowStore;
  readonly #executions: Executions;
  readonly #transactions: DistributedTransactionClass;
  readonly #load: DistributedTransactionClass['loadTransaction'];

  constructor(packages: MedusaPackages, store: WorkflowStore, executions: Executions) {
    this.#store = store;
    this.#executions = executions;
    const path = 'dist/transaction/distributed-transaction.js';
    const { DistributedTransaction } = packages.require('@medusajs/orchestration', path);
    const where = `@medusajs/orchestration/${path}#DistributedTransaction`;
    packages.assertMethods(DistributedTransaction, where, ['loadTransaction']);
    this.#transactions = DistributedTransaction as DistributedTransactionClass;
    packages.assertMethods(this.#transactions.prototype, where, ['saveCheckpoint']);
    this.#load = this.#transactions.loadTransaction.bind(this.#transactions);
  }

  /** To be called once. */
  install(): void {
    const load = this.#load;
    const within = <T>(id: string, transactionId: string, act: () => T): T =>
      this.#within(id, transactionId, act);
    const { prototype } = this.#transactions;
    const { saveCheckpoint } = prototype;
    prototype.saveCheckpoint = function (...args) {
      return within(this.modelId, this.transactionId, () => saveCheckpoint.apply(this, args));
    };
    this.#transactions.loadTransaction = (id, transactionId, ...rest) =>
      within(id, transactionId, () => load(id, transactionId, ...rest));
  }

  async has(workflowId: string, transactionId: string): Promise<boolean> {
    try {
      return (await this.#load(workflowId, transactionId)) !== null;
    } catch {
      return false;
    }
  }

  /** Medusa looks the options up before it first waits. */
  #within<T>(workflowId: string, transactionId: string, act: () => T): T {
    const { orchestrator } = this.#store;
    const execution = this.#executions.get(workflowId, transactionId);
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
  }
}
