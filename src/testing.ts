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
  /** Other Vite plugins of the project, which may contribute rules by their `api`. */
  plugins?: (VitePlugin | VitePlugin[])[];
  /** As given to `medusa({ builtInRules })`. @default builtInRules */
  builtInRules?: readonly Rule[];
  /** The changed file; a path alone stands for an `update`. */
  change: string | { path: string; change: FileChange };
  /** Loaded files, each with its imports; a file without imports need not be listed. @default {} */
  files?: Record<string, string[]>;
  /** Loaded files that nothing imports and no rule matches, because other code has asked for them. */
  entries?: string[];
  /** The folder for relative paths of reloaders: absolute, with forward slashes. @default '/project' */
  root?: string;
}

/** The part of a Vite plugin that `planChange` reads. */
export interface VitePlugin {
  name: string;
  api?: unknown;
}

export interface PlannedChange extends Explanation {
  /** Mistakes in the rules, if there are any. A project prints them and goes on. */
  problems: string[];
}

/**
 * Tells what a change does in a project with these rules. Runs no Medusa, no Vite and no reloader, and reads no
 * file. All paths are relative to the project, with forward slashes.
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

/** Imported files are loaded too, whether they are listed or not. */
function withEnds(files: Record<string, string[]>): Record<string, string[]> {
  const ends = Object.values(files).flat();
  return { ...Object.fromEntries(ends.map((path): [string, string[]] => [path, []])), ...files };
}
