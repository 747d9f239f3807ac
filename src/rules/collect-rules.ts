import type { ResolvedConfig } from 'vite';
import { builtInRules } from './built-in.ts';
import type { Rule } from './rule.ts';
import { BUILT_IN, type RuleSource, USER } from './rule-set.ts';

export interface RuleOptions {
  rules?: Rule[];
  builtInRules?: readonly Rule[];
}

/** Name of the plugin that carries the user's rules. */
export const RULES_PLUGIN = 'medusa-vite:rules';

/** All rules in the order in which they are asked: the user's, those of other plugins, the built-in ones. */
export function collectRules(config: Pick<ResolvedConfig, 'plugins'>): RuleSource[] {
  const contributions = config.plugins.map(({ name, api }) => ({
    name,
    ...contributionOf(api),
  }));
  const own = contributions.filter(({ name }) => name === RULES_PLUGIN);
  const others = contributions.filter(({ name }) => name !== RULES_PLUGIN);
  const builtIn = own.find((contribution) => contribution.builtInRules !== undefined);
  return [
    ...own.map(({ rules }) => ({ from: USER, rules })),
    ...others.map(({ name, rules }) => ({ from: name, rules })),
    { from: BUILT_IN, rules: builtIn?.builtInRules ?? builtInRules },
  ].filter(({ rules }) => rules !== undefined);
}

function contributionOf(api: unknown): { rules?: unknown; builtInRules?: unknown } {
  const { medusaVite } = Object(api) as { medusaVite?: unknown };
  return Object(medusaVite) as { rules?: unknown; builtInRules?: unknown };
}
