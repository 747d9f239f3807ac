import type { Plugin, ResolvedConfig } from 'vite';
import { builtInRules } from '../src/rules/built-in.ts';
import type { Rule } from '../src/rules/rule.ts';

/** What any Vite plugin may expose as its `api` to contribute rules. */
export interface MedusaViteApi {
  medusaVite: { rules: Rule[] };
}

const NAME = 'medusa-vite:rules';

/** Carries the user's rules to the host. */
export function medusaRules(rules: Rule[]): Plugin<MedusaViteApi> {
  return { name: NAME, api: { medusaVite: { rules } } };
}

/** All rules in the order in which they are asked: the user's, those of other plugins, the built-in ones. */
export function collectRules(config: Pick<ResolvedConfig, 'plugins'>): Rule[] {
  const own = config.plugins.filter(({ name }) => name === NAME);
  const others = config.plugins.filter(({ name }) => name !== NAME);
  return [...[...own, ...others].flatMap(contributedRules), ...builtInRules];
}

function contributedRules({ api }: { api?: unknown }): Rule[] {
  const contribution = property(property(api, 'medusaVite'), 'rules');
  return Array.isArray(contribution) ? (contribution as Rule[]) : [];
}

function property(value: unknown, key: string): unknown {
  return value instanceof Object ? (value as Record<string, unknown>)[key] : undefined;
}
