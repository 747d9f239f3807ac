/** Methods of an exported workflow. (`workflows-sdk/dist/helper/workflow-export.js`, 2.12.1 to 2.21.2) */
export const RUNNER_METHODS = [
  'run',
  'registerStepSuccess',
  'registerStepFailure',
  'retryStep',
  'cancel',
] as const;
export type RunnerMethod = (typeof RUNNER_METHODS)[number];

/** Methods of `LocalWorkflow`. (`orchestration/dist/workflow/local-workflow.js`, 2.12.1 to 2.21.2) */
export type LocalMethod = RunnerMethod | 'getRunningTransaction';
export const LOCAL_METHODS: readonly LocalMethod[] = [...RUNNER_METHODS, 'getRunningTransaction'];

/** The id of the transaction in what Medusa calls one of these methods with. */
export function transactionOf(method: LocalMethod, value: unknown): string | undefined {
  if (typeof value !== 'string') {
    const { transactionId, flow } = Object(value) as {
      transactionId?: string;
      flow?: { transactionId: string };
    };
    return transactionId ?? flow?.transactionId;
  }
  // `<workflow>:<transaction>:<step>:<invoke or compensate>`
  return method === 'cancel' || method === 'getRunningTransaction' ? value : value.split(':')[1];
}
