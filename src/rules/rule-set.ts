import { inspect } from 'node:util';
import type { ReloaderModule } from '../protocol/messages.ts';
import { MedusaViteError } from '../shared/failure.ts';
import { isAbsoluteFile } from '../shared/paths.ts';
import { isReloaderFile, resolveReloader } from './own-reloader.ts';
import { BUILT_IN_RELOADERS, matches, type Rule, type RuleFile, type RuleTraits } from './rule.ts';

export const USER = 'vite.config';
export const BUILT_IN = 'built-in';

/** Rules from one author, unchecked. */
export interface RuleSource {
  /** `vite.config`, `built-in`, or the name of a Vite plugin. */
  from: string;
  rules: unknown;
}

export interface CheckedRule extends Pick<Rule, 'name' | 'match' | 'note'>, RuleTraits {
  /** `restart`, `ignore`, or the name of a reloader, built-in or not. */
  action: string;
  /** As in `RuleSource`. @default built-in */
  from?: string;
}

export interface RuleSet {
  /** In the order in which they are asked. */
  rules: CheckedRule[];
  /** The reloaders of users and plugin authors, for the app to load. */
  reloaders: ReloaderModule[];
  /** Mistakes in rules, each a complete text: which rule, whose, and what to do. */
  problems: string[];
}

/**
 * Checks the rules of users and plugin authors, and never throws: a rule without a valid `match` is left out, and
 * one without a valid `action` restarts the app, which is always right.
 */
export function createRuleSet(sources: RuleSource[], root: string): RuleSet {
  const set: RuleSet = { rules: [], reloaders: [], problems: [] };
  for (const { from, rules } of sources) {
    if (!Array.isArray(rules)) {
      const owner = describeOwner(from);
      set.problems.push(`The rules of ${owner} are not a list, so there are none. Give an array.`);
      continue;
    }
    for (const [index, rule] of rules.entries()) {
      addRule(set, { rule, from, root, position: index + 1 });
    }
  }
  addRuleForReloaders(set, root);
  return set;
}

/** A reloader is loaded once, so its change restarts the app; a change of its imports leads to it by itself. */
function addRuleForReloaders({ rules, reloaders }: RuleSet, root: string): void {
  if (reloaders.length > 0) {
    const first = rules.findIndex(({ from }) => from === BUILT_IN);
    rules.splice(first < 0 ? rules.length : first, 0, {
      name: 'own reloader',
      match: ({ path }) =>
        isReloaderFile(reloaders, isAbsoluteFile(path) ? path : `${root}/${path}`),
      action: 'restart',
      from: BUILT_IN,
    });
  }
}

/** `position`: 1-based. */
function addRule(
  set: RuleSet,
  { rule, from, root, position }: { rule: unknown; from: string; root: string; position: number },
): void {
  if (!(rule instanceof Object)) {
    const owner = describeOwner(from);
    set.problems.push(
      `Rule ${position} of ${owner} is \`${describe(rule)}\`, so it is left out. ` +
        'Write an object with `name`, `match` and `action`.',
    );
    return;
  }
  const { name, match, action, note } = rule as Record<keyof Rule, unknown>;
  const hasName = typeof name === 'string' && name !== '';
  const checked: CheckedRule = {
    name: hasName ? name : `#${position}`,
    match: match as Rule['match'],
    action: 'restart',
    from,
    ...(from === BUILT_IN && traitsOf(rule)),
  };
  const complain = (problem: string) => {
    set.problems.push(`${capitalize(describeRule(checked))} ${problem}`);
  };
  if (!hasName) {
    complain('has no `name`. Give it one: messages need it.');
  }
  const mistake = findMatchMistake(match);
  if (mistake !== undefined) {
    complain(`is left out: ${mistake} Give a glob, a list of globs, a RegExp or a function.`);
    return;
  }
  if (note !== undefined && typeof note !== 'string') {
    complain('has a `note` that is not a text. It is not shown.');
  } else if (note !== undefined) {
    checked.note = note;
  }
  if (isOwnReloader(action)) {
    try {
      const reloader = resolveReloader(action, root);
      checked.action = reloader.name;
      if (!set.reloaders.some((known) => known.name === reloader.name)) {
        set.reloaders.push({ ...reloader, owner: describeRule(checked) });
      }
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      complain(`names a reloader that is none, so its files restart the app: ${what}.`);
    }
  } else if (typeof action === 'string' && ACTIONS.includes(action)) {
    checked.action = action;
  } else {
    complain(
      `${action === undefined ? 'has no `action`' : `has the unknown action \`${describe(action)}\``}, ` +
        `so its files restart the app. Use ${ACTIONS.map((known) => `\`${known}\``).join(', ')} ` +
        'or `{ reloader: "<module>" }`.',
    );
  }
  set.rules.push(checked);
}

function traitsOf(rule: object): RuleTraits {
  const { choosesModules, mayBeMissing } = rule as Record<keyof RuleTraits, unknown>;
  return {
    ...(choosesModules === true && { choosesModules }),
    ...(typeof mayBeMissing === 'function' && {
      mayBeMissing: mayBeMissing as RuleTraits['mayBeMissing'],
    }),
  };
}

/** Every rule that matches the file, in order: the first decides. @throws MedusaViteError if one fails */
export function matchingRules(rules: readonly CheckedRule[], file: RuleFile): CheckedRule[] {
  return rules.filter((rule) => asks(rule, file));
}

/** @throws MedusaViteError if a rule fails */
export function decidingRule(
  rules: readonly CheckedRule[],
  file: RuleFile,
): CheckedRule | undefined {
  return rules.find((rule) => asks(rule, file));
}

function asks(rule: CheckedRule, file: RuleFile): boolean {
  try {
    return matches(rule, file);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new MedusaViteError(
      `${capitalize(describeRule(rule))} failed when it was asked about \`${file.path}\`: ${what}.`,
      { code: 'RULE_FAILED', hint: 'Correct its `match`.' },
    );
  }
}

/** Names the rule and its owner, for messages. */
export function describeRule({
  name,
  from = BUILT_IN,
}: Pick<CheckedRule, 'name' | 'from'>): string {
  return from === BUILT_IN
    ? `the built-in rule \`${name}\``
    : `the rule \`${name}\` of ${describeOwner(from)}`;
}

function describeOwner(from: string): string {
  switch (from) {
    case USER:
      return USER;
    case BUILT_IN:
      return '`builtInRules`';
    default:
      return `the plugin \`${from}\``;
  }
}

const ACTIONS: readonly string[] = ['restart', 'ignore', ...BUILT_IN_RELOADERS];

/** @returns the mistake, as a sentence */
function findMatchMistake(match: unknown): string | undefined {
  if (match === undefined) {
    return 'it has no `match`.';
  }
  if (typeof match === 'function' || match instanceof RegExp) {
    return undefined;
  }
  const globs = Array.isArray(match) ? (match as unknown[]) : [match];
  if (globs.length === 0) {
    return 'its `match` is an empty list.';
  }
  const wrong = globs.findIndex((glob) => typeof glob !== 'string' || glob === '');
  return wrong < 0 ? undefined : `its \`match\` is \`${describe(globs[wrong])}\`.`;
}

function isOwnReloader(action: unknown): action is { reloader: string; from?: string } {
  const { reloader, from } = Object(action) as Record<string, unknown>;
  const isFromValid = from === undefined || (typeof from === 'string' && from !== '');
  return typeof reloader === 'string' && reloader !== '' && isFromValid;
}

/** Also describes a value that contains itself, on one line. */
function describe(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Infinity });
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
