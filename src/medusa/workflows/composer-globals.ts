import type { MedusaPackages } from '../packages.ts';

/**
 * The globals in which Medusa keeps the workflow, and the condition, that is being composed.
 * (`utils/dist/orchestration/symbol.js`, the same in 2.12.1 and 2.21.2)
 */
export function composerGlobals(packages: MedusaPackages): { context: string; condition: string } {
  const path = 'dist/orchestration/symbol.js';
  const {
    SymbolMedusaWorkflowComposerContext: context,
    SymbolMedusaWorkflowComposerCondition: condition,
  } = packages.require('@medusajs/utils', path);
  // Named symbols, but strings in fact.
  if (typeof context !== 'string' || typeof condition !== 'string') {
    throw packages.unexpected(`@medusajs/utils/${path}#SymbolMedusaWorkflowComposerContext`);
  }
  return { context, condition };
}
