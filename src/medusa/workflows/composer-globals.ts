import type { MedusaPackages } from '../packages.ts';

/** The globals in which Medusa keeps the workflow, and the condition, that is being composed. */
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
