import type { MedusaPackages } from '../packages.ts';

export interface WorkflowDefinition {
  id: string;
  options: { schedule?: unknown };
  flow_: unknown;
  handlers_: StepHandlers;
  handler: RunHandlers;
  orchestrator: Orchestrator;
}
export type StepHandlers = Map<string, unknown>;
interface Orchestrator {
  options?: { store?: boolean };
}
type RunHandlers = (...run: unknown[]) => unknown;

/** The workflows at one moment, by id, in the three places where Medusa keeps them. */
export interface WorkflowSnapshot {
  definitions: Map<string, WorkflowDefinition>;
  /** What the workflow engine runs. */
  runners: Record<string, unknown>;
  /** By which executions are stored. */
  options: Record<string, unknown>;
}

interface WorkflowManagerClass {
  workflows: Map<string, WorkflowDefinition>;
  scheduler: {
    scheduleWorkflow(workflow: WorkflowDefinition): Promise<void>;
    clearWorkflow(workflow: { id: string }): Promise<void>;
  };
  getWorkflow(id: string): WorkflowDefinition | undefined;
  register(id: string, ...rest: unknown[]): void;
  buildHandlers(handlers: StepHandlers): RunHandlers;
}

interface MedusaWorkflowClass {
  workflows: Record<string, unknown>;
  getWorkflow(id: string): unknown;
  registerWorkflow(id: string, runner: unknown): void;
}

interface TransactionOrchestratorClass {
  workflowOptions: Record<string, unknown>;
  clone(orchestrator: Orchestrator): Orchestrator;
}

/**
 * Medusa's registries of workflows. All of it reads them anew each time, so that one can be put in the place of another.
 * (`orchestration/dist/workflow/workflow-manager.js`, `orchestration/dist/transaction/transaction-orchestrator.js`,
 * `workflows-sdk/dist/medusa-workflow.js`; the same in 2.12.1 and 2.21.2)
 */
export class WorkflowStore {
  readonly manager: WorkflowManagerClass;
  readonly engine: MedusaWorkflowClass;
  readonly orchestrator: TransactionOrchestratorClass;

  constructor(packages: MedusaPackages) {
    const managerPath = 'dist/workflow/workflow-manager.js';
    const { WorkflowManager } = packages.require('@medusajs/orchestration', managerPath);
    const enginePath = 'dist/medusa-workflow.js';
    const { MedusaWorkflow } = packages.require('@medusajs/workflows-sdk', enginePath);
    const orchestratorPath = 'dist/transaction/transaction-orchestrator.js';
    const { TransactionOrchestrator } = packages.require(
      '@medusajs/orchestration',
      orchestratorPath,
    );
    this.manager = WorkflowManager as unknown as WorkflowManagerClass;
    this.engine = MedusaWorkflow as unknown as MedusaWorkflowClass;
    this.orchestrator = TransactionOrchestrator as unknown as TransactionOrchestratorClass;
    const { manager, engine, orchestrator } = this;
    if (!(manager?.workflows instanceof Map) || !manager.scheduler?.scheduleWorkflow) {
      throw packages.unexpected(`@medusajs/orchestration/${managerPath}#WorkflowManager.workflows`);
    }
    if (!manager.getWorkflow || !manager.buildHandlers) {
      throw packages.unexpected(
        `@medusajs/orchestration/${managerPath}#WorkflowManager.getWorkflow`,
      );
    }
    if (!(engine?.workflows instanceof Object) || !engine.getWorkflow || !engine.registerWorkflow) {
      throw packages.unexpected(`@medusajs/workflows-sdk/${enginePath}#MedusaWorkflow`);
    }
    if (!(orchestrator?.workflowOptions instanceof Object) || !orchestrator.clone) {
      throw packages.unexpected(
        `@medusajs/orchestration/${orchestratorPath}#TransactionOrchestrator`,
      );
    }
  }

  get shown(): WorkflowSnapshot {
    return {
      definitions: this.manager.workflows,
      runners: this.engine.workflows,
      options: this.orchestrator.workflowOptions,
    };
  }

  show({ definitions, runners, options }: WorkflowSnapshot): void {
    this.manager.workflows = definitions;
    this.engine.workflows = runners;
    this.orchestrator.workflowOptions = options;
  }

  /** One to be changed without changing what is shown. */
  copy(): WorkflowSnapshot {
    const { definitions, runners, options } = this.shown;
    return { definitions: new Map(definitions), runners: { ...runners }, options: { ...options } };
  }
}
