import { expect, it } from 'vitest';
import type { MedusaPackages } from '../../../src/medusa/packages.ts';
import { WorkflowRegistry } from '../../../src/medusa/workflow-registry.ts';
import { WorkflowStore } from '../../../src/medusa/workflow-store.ts';

it('keeps the order of two files with one id, in whichever order a reload evaluates them', () => {
  const WorkflowManager = {
    workflows: new Map<string, object>(),
    scheduler: { scheduleWorkflow: async () => {}, clearWorkflow: async () => {} },
    getWorkflow: () => {},
    buildHandlers: () => () => {},
  };
  const MedusaWorkflow = {
    workflows: {} as Record<string, unknown>,
    getWorkflow: () => {},
    registerWorkflow: (id: string, runner: unknown) => {
      MedusaWorkflow.workflows[id] ??= runner;
    },
  };
  const TransactionOrchestrator = { workflowOptions: {}, clone: () => {} };
  const SymbolMedusaWorkflowComposerContext = 'composer context';
  const SymbolMedusaWorkflowComposerCondition = 'composer condition';
  const require = () => ({
    WorkflowManager,
    MedusaWorkflow,
    TransactionOrchestrator,
    SymbolMedusaWorkflowComposerContext,
    SymbolMedusaWorkflowComposerCondition,
  });
  let owner: string | undefined;
  const packages = { require } as unknown as MedusaPackages;
  const registry = new WorkflowRegistry(packages, new WorkflowStore(packages), () => owner);
  const compose = (module: string, runner: string) => {
    owner = module;
    WorkflowManager.workflows.set('twin', { id: 'twin', options: {}, flow_: {} });
    MedusaWorkflow.registerWorkflow('twin', runner);
  };
  compose('/a.ts', 'first');
  compose('/z.ts', 'last');

  registry.begin(new Set(['/a.ts', '/z.ts']));
  registry.enter();
  compose('/z.ts', 'new last');
  compose('/a.ts', 'new first');
  registry.leave();
  registry.commit();

  expect(MedusaWorkflow.workflows.twin).toBe('new first');
});
