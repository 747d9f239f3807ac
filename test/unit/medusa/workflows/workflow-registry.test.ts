import { expect, it } from 'vitest';
import type { MedusaPackages } from '../../../../src/medusa/packages.ts';
import { WorkflowRegistry } from '../../../../src/medusa/workflows/workflow-registry.ts';
import { WorkflowStore } from '../../../../src/medusa/workflows/workflow-store.ts';

// The last case was a file that took on the id of one that was saved with it.
it.each([
  ['of two files', ['/a.ts', '/z.ts'], ['/z.ts', '/a.ts'], 'new /a.ts'],
  ['of a new file before them', ['/m.ts', '/z.ts'], ['/z.ts', '/m.ts', '/a.ts'], 'new /a.ts'],
  ['of a new file behind one', ['/a.ts'], ['/z.ts', '/a.ts'], 'new /a.ts'],
])('keeps the order %s with one id, in whichever order a reload evaluates them', (...how) => {
  const [, before, evaluated, serving] = how;
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
  for (const module of before) {
    compose(module, module);
  }

  registry.begin(new Set(evaluated));
  registry.enter();
  for (const module of evaluated) {
    compose(module, `new ${module}`);
  }
  registry.leave();
  registry.commit();

  expect(MedusaWorkflow.workflows.twin).toBe(serving);
});
