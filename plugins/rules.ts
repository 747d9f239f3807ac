import type { Plugin, ResolvedConfig } from 'vite';
import { builtInRules } from '../src/rules/built-in.ts';
import type { Rule } from '../src/rules/rule.ts';
import { BUILT_IN, type RuleSource, USER } from '../src/rules/rule-set.ts';

/**
 * What any Vite plugin may expose as its `api` to contribute rules. They are asked after the user's and
 * before the built-in ones.
 */
export interface MedusaViteApi {
  medusaVite: { rules: Rule[] };
}

export interface RuleOptions {
  rules?: Rule[];
  builtInRules?: readonly Rule[];
}

const NAME = 'medusa-vite:rules';

/** Carries the user's rules to the host. */
export function medusaRules(options: RuleOptions): Plugin<{ medusaVite: RuleOptions }> {
  return { name: NAME, api: { medusaVite: options } };
}

/** All rules in the order in which they are asked: the user's, those of other plugins, the built-in ones. */
export function collectRules(config: Pick<ResolvedConfig, 'plugins'>): RuleSource[] {
  const contributions = config.plugins.map(({ name, api }) => ({
    name,
    ...contributionOf(api),
  }));
  const own = contributions.filter(({ name }) => name === NAME);
  const others = contributions.filter(({ name }) => name !== NAME);
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
