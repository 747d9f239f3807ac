import { collectRules, RULES_PLUGIN } from './rules/collect-rules.ts';
import { type Explanation, explain } from './rules/explanation.ts';
import { createMemoryGraph } from './rules/memory-graph.ts';
import type { Rule } from './rules/rule.ts';
import { createRuleSet } from './rules/rule-set.ts';
import type { FileChange } from './shared/change.ts';

export type {
  DecisionDescription,
  Explanation,
  GuardDescription,
  RuleDescription,
} from './rules/explanation.ts';

export interface PlanChangeOptions {
  /** As given to `medusa({ rules })`. */
  rules?: Rule[];
  /** Other Vite plugins of the project: those that contribute rules by their `api` are heard. */
  plugins?: (VitePlugin | VitePlugin[])[];
  /** As given to `medusa({ builtInRules })`. @default builtInRules */
  builtInRules?: readonly Rule[];
  /** The saved file; with no more than its path, `update`. */
  change: string | { path: string; change: FileChange };
  /** Files that the app has loaded, each with those that it imports; the ends need not be listed. @default {} */
  files?: Record<string, string[]>;
  /** Loaded files that nothing imports and no rule knows, because something else has asked for them. */
  entries?: string[];
  /** Where relative paths of reloaders start: absolute, with forward slashes. @default '/project' */
  root?: string;
}

/** The part of a Vite plugin that matters here. */
export interface VitePlugin {
  name: string;
  api?: unknown;
}

export interface PlannedChange extends Explanation {
  /** What is wrong with the rules; empty if nothing is. A project with these prints them, and goes on. */
  problems: string[];
}

/**
 * What the saved file would do in a project with these rules. Runs no Medusa, no Vite and no reloader, and
 * touches no file. All paths are relative to the project, with forward slashes.
 *
 * @throws MedusaViteError if a rule fails, which keeps the previous version in a project
 * @example
 * const planned = planChange({
 *   rules: [{ name: 'graphql', match: 'src/graphql/**', action: 'restart' }],
 *   files: { 'src/api/graphql/route.ts': ['src/graphql/schema.ts'] },
 *   change: 'src/graphql/schema.ts',
 * });
 * assert.equal(planned.result, 'restart');
 * assert.equal(planned.rule?.name, 'graphql');
 */
export function planChange(options: PlanChangeOptions): PlannedChange {
  const { rules, builtInRules, plugins = [], entries, root = '/project' } = options;
  const own = { name: RULES_PLUGIN, api: { medusaVite: { rules, builtInRules } } };
  const set = createRuleSet(collectRules({ plugins: [own, ...plugins.flat()] }), root);
  const { path, change } =
    typeof options.change === 'string'
      ? { path: options.change, change: 'update' as const }
      : options.change;
  const graph = createMemoryGraph({ root, files: withEnds(options.files ?? {}), entries });
  const explanation = explain(
    { file: `${root}/${path}`, change },
    { root, graph, rules: set.rules },
  );
  return { ...explanation, problems: set.problems };
}

/** What is imported is loaded too, listed or not. */
function withEnds(files: Record<string, string[]>): Record<string, string[]> {
  const ends = Object.values(files).flat();
  return { ...Object.fromEntries(ends.map((path): [string, string[]] => [path, []])), ...files };
}
