import { describeReason } from '../protocol/reason.ts';
import type { Change, FileChange } from '../shared/change.ts';
import { fileOfId, relativeToRoot } from '../shared/paths.ts';
import { type Decision, type Plan, type PlannerOptions, plan } from './planner.ts';
import { BUILT_IN, type CheckedRule, matchingRules } from './rule-set.ts';

export interface RuleDescription {
  name: string;
  /** `vite.config`, `built-in`, or the name of the Vite plugin that contributes it. */
  from: string;
  /** `restart`, `ignore`, or the name of a reloader. */
  action: string;
}

export interface DecisionDescription {
  /** The file that the rule was asked about; relative to the project. */
  path: string;
  change: FileChange;
  /** From the changed file up to this one, each imported by the next; the first such chain. */
  chain: string[];
  rule: RuleDescription;
  /** Later rules that match as well. */
  others: RuleDescription[];
}

/** A file that is not evaluated again. The app restarts if its import turns out different. */
export interface GuardDescription {
  path: string;
  /** The imported file, which is evaluated anew. */
  imports: string;
  reason: string;
}

/** The effect that a change would have. All paths are relative to the project. */
export interface Explanation {
  result: 'reload' | 'restart' | 'ignore';
  /** Why the app would restart, or the file would be ignored. */
  reason?: string;
  /** The rule behind the result; undefined if there is none, or more than one. */
  rule?: RuleDescription;
  /** From the changed file up to the file that the rule was asked about. */
  chain: string[];
  reloads: { reloader: string; files: { path: string; change: FileChange }[] }[];
  guards: GuardDescription[];
  /** One for each file that a rule decided on, in the order in which imports led there. */
  decisions: DecisionDescription[];
  /** Further messages to the user. */
  notes: string[];
}

/** @throws MedusaViteError if a rule fails */
export function explain(change: Change, options: PlannerOptions): Explanation {
  const { root, rules } = options;
  const relative = (file: string) => relativeToRoot(root, file);
  const planned = plan([change], options);
  const { restart, guards, steps } = planned;
  const guarded = guards.map(({ importer, imported, reason }) => ({
    path: relative(fileOfId(importer)),
    imports: relative(fileOfId(imported)),
    reason: describeReason(reason),
  }));
  const result = resultOf(planned);
  const path = relative(change.file);
  const [guard] = guarded;
  const decisive =
    result === 'restart'
      ? planned.decisions.find(({ file, rule }) => {
          const isIt = restart ? isSame(file.chain, restart.chain) : file.path === guard?.path;
          return isIt && rule.action === 'restart';
        })
      : soleDecision(planned);
  const reason = restart?.reason ?? planned.ignored[0]?.reason ?? guards[0]?.reason;
  return {
    result,
    ...(result !== 'reload' && reason && { reason: describeReason(reason) }),
    ...(decisive && { rule: describe(decisive.rule) }),
    chain: [...(decisive?.file.chain ?? restart?.chain ?? [path])],
    reloads: steps.map(({ reloader, files }) => ({
      reloader,
      files: files.map(({ file, change }) => ({ path: relative(file), change })),
    })),
    guards: guarded,
    decisions: firstOfEach(planned.decisions).map(({ file, rule }) => ({
      path: file.path,
      change: file.change,
      chain: [...file.chain],
      rule: describe(rule),
      others: matchingRules(rules, file)
        .filter((other) => other !== rule)
        .map(describe),
    })),
    notes: planned.notes,
  };
}

function resultOf({ restart, ignored, steps, guards, invalidated }: Plan): Explanation['result'] {
  if (restart) {
    return 'restart';
  }
  if (steps.length > 0) {
    return 'reload';
  }
  if (guards.length > 0) {
    return 'restart';
  }
  return ignored.length > 0 || invalidated.length === 0 ? 'ignore' : 'reload';
}

function soleDecision({ decisions }: Plan): Decision | undefined {
  const [first, ...others] = decisions;
  return others.every(({ rule }) => rule === first?.rule) ? first : undefined;
}

/** The planner may decide on a file several times, once for each of its imports. */
function firstOfEach(decisions: Decision[]): Decision[] {
  const byPath = new Map<string, Decision>();
  for (const decision of decisions) {
    const { path } = decision.file;
    byPath.set(path, byPath.get(path) ?? decision);
  }
  return [...byPath.values()];
}

function describe({ name, from = BUILT_IN, action }: CheckedRule): RuleDescription {
  return { name, from, action };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((path, index) => path === b[index]);
}
