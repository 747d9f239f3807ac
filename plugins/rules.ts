import type { Plugin } from 'vite';
import { RULES_PLUGIN, type RuleOptions } from '../src/rules/collect-rules.ts';
import type { Rule } from '../src/rules/rule.ts';

/**
 * The `api` of a Vite plugin that contributes rules. They are asked after the user's and before the built-in
 * ones.
 */
export interface MedusaViteApi {
  medusaVite: { rules: Rule[] };
}

/** Carries the user's rules to the host. */
export function medusaRules(options: RuleOptions): Plugin<{ medusaVite: RuleOptions }> {
  return { name: RULES_PLUGIN, api: { medusaVite: options } };
}
