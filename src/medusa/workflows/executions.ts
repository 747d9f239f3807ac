import type { WorkflowSnapshot } from './workflow-store.ts';

/** One execution, from its start until nobody can go on with it any more. */
export interface Execution {
  /** By the id of the workflow and that of the transaction. */
  readonly key: string;
  /** The workflows as they were when it, or the execution that it is a step of, began. */
  readonly workflows: WorkflowSnapshot;
  /** Others can go on with it: a response to a step, a timer. */
  readonly isStored: boolean;
  /** Keys of executions that are steps of this one and have ended: this one may yet take them back. */
  readonly nested: string[];
}

/** What Medusa hands to an execution that is a step of another one. */
export interface ExecutionContext {
  transactionId?: string;
  /** `<workflow>:<transaction>:<step>:<invoke or compensate>` */
  parentStepIdempotencyKey?: string;
}

/** The executions that this process has started. */
export class Executions {
  readonly #byKey = new Map<string, Execution>();

  get all(): Execution[] {
    return [...this.#byKey.values()];
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  get(workflowId: string, transactionId: string | undefined): Execution | undefined {
    return this.#byKey.get(keyOf(workflowId, transactionId));
  }

  /** The one that an execution with this context is a step of. */
  parentOf(context: ExecutionContext | undefined): Execution | undefined {
    const [workflowId, transactionId] = context?.parentStepIdempotencyKey?.split(':') ?? [];
    return workflowId === undefined ? undefined : this.get(workflowId, transactionId);
  }

  add(execution: Execution): void {
    this.#byKey.set(execution.key, execution);
  }

  /** A step that is a workflow may be taken back as long as the workflow that it is a step of goes on. */
  end(execution: Execution, context: ExecutionContext | undefined): void {
    if (this.#byKey.get(execution.key) !== execution) {
      return;
    }
    const parent = this.parentOf(context);
    if (parent) {
      parent.nested.push(execution.key);
    } else {
      this.#forget(execution.key);
    }
  }

  /** The latest workflows with this id that an execution still has. */
  workflowsWith(workflowId: string): WorkflowSnapshot | undefined {
    return this.all.findLast(({ workflows }) => workflows.definitions.has(workflowId))?.workflows;
  }

  #forget(key: string): void {
    const execution = this.#byKey.get(key);
    this.#byKey.delete(key);
    for (const nested of execution?.nested ?? []) {
      this.#forget(nested);
    }
  }
}

export function keyOf(workflowId: string, transactionId: string | undefined): string {
  return `${workflowId}:${transactionId}`;
}
