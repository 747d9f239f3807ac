import type { ExecutionContext, Executions } from './executions.ts';
import { RUNNER_METHODS, type RunnerMethod, transactionOf } from './workflow-methods.ts';
import type { WorkflowStore } from './workflow-store.ts';

/** Which execution a method of an exported workflow is about. */
interface RunnerArgs {
  idempotencyKey?: string;
  transactionId?: string;
  transaction?: { transactionId?: string };
  context?: ExecutionContext;
}
type Runner = ((container?: unknown) => unknown) &
  Record<RunnerMethod, (args?: RunnerArgs) => Promise<unknown>>;

/**
 * What the workflow engine finds by an id: a runner that goes on with each execution by the runner that it began
 * with, in which is what a workflow makes of the results of its steps.
 * (`workflows-sdk/dist/medusa-workflow.js` and `helper/workflow-export.js`, the same in 2.12.1 and 2.21.2)
 */
export function replaceEngineLookup({ engine }: WorkflowStore, executions: Executions): void {
  const getWorkflow = engine.getWorkflow;
  engine.getWorkflow = (id) => {
    const serving = getWorkflow.call(engine, id) as Runner | undefined;
    if (executions.isEmpty) {
      return serving;
    }
    const runner = serving ?? (executions.workflowsWith(id)?.runners[id] as Runner | undefined);
    return runner && dispatching(id, runner, executions);
  };
}

function dispatching(id: string, serving: Runner, executions: Executions): Runner {
  const runner = (container?: unknown) => serving(container);
  for (const name of RUNNER_METHODS) {
    Object.assign(runner, {
      [name]: (args: RunnerArgs = {}) => {
        const execution =
          executions.get(id, transactionIn(name, args)) ?? executions.parentOf(args.context);
        const own = execution?.workflows.runners[id] as Runner | undefined;
        return (own ?? serving)[name](args);
      },
    });
  }
  return runner as Runner;
}

function transactionIn(
  method: RunnerMethod,
  { idempotencyKey, transaction, transactionId, context }: RunnerArgs,
): string | undefined {
  return (
    (idempotencyKey === undefined ? undefined : transactionOf(method, idempotencyKey)) ??
    transaction?.transactionId ??
    transactionId ??
    context?.transactionId
  );
}
