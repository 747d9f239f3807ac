import { describe, expect, test } from 'vitest';
import { medusaRules } from '../../../plugins/rules.ts';
import { builtInRules } from '../../../src/rules/built-in.ts';
import { collectRules } from '../../../src/rules/collect-rules.ts';
import {
  BUILT_IN_RELOADERS,
  matches,
  type Rule,
  type RuleFile,
  type RuleTraits,
} from '../../../src/rules/rule.ts';
import { createRuleSet, decidingRule, type RuleSet } from '../../../src/rules/rule-set.ts';

const ROOT = '/my shop';

const ruleSet = (rules: unknown): RuleSet => createRuleSet([{ from: 'vite.config', rules }], ROOT);

const file = (path: string): RuleFile => ({
  path,
  change: 'update',
  isLoaded: true,
  chain: [path],
  affected: [path],
});

const CYCLIC: Record<string, unknown> = {};
CYCLIC.self = CYCLIC;

const GOOD: Rule = { name: 'graphql', match: 'src/graphql/**', action: 'restart' };

describe('the order', () => {
  test('is the user, then the plugins as Vite has them, then the built-in rules', () => {
    const named = (name: string): Rule => ({ ...GOOD, name });
    const sources = collectRules({
      plugins: [
        { name: 'first', api: { medusaVite: { rules: [named('c')] } } },
        medusaRules({ rules: [named('a'), named('b')] }),
        { name: 'without an api' },
        { name: 'second', api: { medusaVite: { rules: [named('d')] } } },
      ],
    });
    const { rules, problems } = createRuleSet(sources, ROOT);
    expect(rules.map(({ name, from }) => [name, from]).slice(0, 5)).toEqual([
      ['a', 'vite.config'],
      ['b', 'vite.config'],
      ['c', 'first'],
      ['d', 'second'],
      [builtInRules[0]?.name, 'built-in'],
    ]);
    expect(rules).toHaveLength(4 + builtInRules.length);
    expect(problems).toEqual([]);
  });

  test('of the built-in rules, and their choice, is up to the user', () => {
    const reversed = builtInRules.toReversed();
    const own = medusaRules({ builtInRules: reversed });
    const { rules } = createRuleSet(collectRules({ plugins: [medusaRules({}), own] }), ROOT);
    expect(rules.map(({ name }) => name)).toEqual(reversed.map(({ name }) => name));
  });

  test('leaves each built-in rule its traits, and gives them to no other rule', () => {
    const traits = { choosesModules: true, mayBeMissing: () => true } as const;
    const sources = collectRules({
      plugins: [medusaRules({ builtInRules, rules: [{ ...GOOD, ...traits }] })],
    });
    const { rules } = createRuleSet(sources, ROOT);
    expect(rules[0]).not.toHaveProperty('choosesModules');
    expect(rules[0]).not.toHaveProperty('mayBeMissing');
    const meant = ({ choosesModules, mayBeMissing }: RuleTraits) => [choosesModules, mayBeMissing];
    expect(rules.slice(1).map(meant)).toEqual(builtInRules.map(meant));
  });

  test('lets the first that matches decide', () => {
    const { rules } = ruleSet([GOOD, { ...GOOD, name: 'second', action: 'ignore' }]);
    expect(decidingRule(rules, file('src/graphql/schema.ts'))?.name).toBe('graphql');
  });
});

describe('a built-in rule', () => {
  test('has a name of its own', () => {
    const names = builtInRules.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('passes the same check as the others', () => {
    expect(ruleSet(builtInRules).problems).toEqual([]);
  });
});

describe('`match`', () => {
  test.each<[string, Rule['match'], string, boolean]>([
    ['a glob', 'src/graphql/**', 'src/graphql/a/b.ts', true],
    ['a glob, elsewhere', 'src/graphql/**', 'packages/src/graphql/a.ts', false],
    ['a glob, in a dot folder', '**/*.graphql', 'src/.generated/a.graphql', true],
    ['one of several globs', ['a/*', 'b/*'], 'b/c.ts', true],
    ['an expression', /\.graphql$/, 'src/schema.graphql', true],
    ['a function', ({ path }) => path.includes('schema'), 'src/schema.graphql', true],
    ['a function, of the chain', ({ chain }) => chain.length > 1, 'src/schema.graphql', false],
  ])('%s', (_what, match, path, expected) => {
    expect(matches({ match }, file(path))).toBe(expected);
  });

  test('as an expression with the flag g answers the same every time', () => {
    const match = /schema/g;
    const answers = [1, 2, 3].map(() => matches({ match }, file('src/schema.ts')));
    expect(answers).toEqual([true, true, true]);
  });
});

describe('a rule that is wrong', () => {
  test.each<[string, unknown, string]>([
    ['no object', 'src/graphql/**', 'Rule 1 of vite.config is `src/graphql/**`, so it is left'],
    [
      'without match',
      { name: 'x', action: 'restart' },
      'rule `x` of vite.config is left out: it has no `match`',
    ],
    ['with a number to match', { ...GOOD, match: 7 }, 'is left out: its `match` is `7`'],
    ['with an empty glob', { ...GOOD, match: ['a', ''] }, 'is left out: its `match` is ``'],
    ['with no glob', { ...GOOD, match: [] }, 'is left out: its `match` is an empty list'],
  ])('%s is left out', (_what, rule, problem) => {
    const { rules, problems } = ruleSet([rule, { ...GOOD, name: 'good' }]);
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(rules.map(({ name }) => name)).toEqual(['good']);
  });

  test.each<[string, unknown, string]>([
    ['an unknown reloader', 'rotues', 'has the unknown action `rotues`, so its files restart'],
    ['no action', undefined, 'has no `action`, so its files restart'],
    ['an action of the wrong type', { reloader: 7 }, 'has the unknown action `{ reloader: 7 }`'],
    ['an action that refers to itself', CYCLIC, 'has the unknown action `<ref *1> { self: '],
    [
      'a reloader at no place',
      { reloader: 'file://elsewhere/x.js' },
      'names a reloader that is none',
    ],
  ])('with %s restarts', (_what, action, problem) => {
    const { rules, problems } = ruleSet([{ ...GOOD, action }]);
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toContain('The rule `graphql` of vite.config');
    expect(rules).toMatchObject([{ name: 'graphql', action: 'restart' }]);
  });

  test('with an unknown reloader gets a list of the known ones', () => {
    const [problem] = ruleSet([{ ...GOOD, action: 'rotues' }]).problems;
    for (const name of ['restart', 'ignore', ...BUILT_IN_RELOADERS]) {
      expect(problem).toContain(`\`${name}\``);
    }
  });

  test('without a name is asked all the same', () => {
    const { rules, problems } = ruleSet([{ ...GOOD, name: undefined }]);
    expect(problems).toEqual([
      expect.stringContaining('The rule `#1` of vite.config has no `name`'),
    ]);
    expect(rules).toMatchObject([{ name: '#1', action: 'restart' }]);
  });

  test('names the plugin that it came from', () => {
    const plugins = [{ name: 'vite-plugin-x', api: { medusaVite: { rules: [{ name: 'x' }] } } }];
    const { problems } = createRuleSet(collectRules({ plugins }), ROOT);
    expect(problems).toEqual([
      expect.stringContaining('The rule `x` of the plugin `vite-plugin-x`'),
    ]);
  });

  test('is left out if the rules are not a list', () => {
    const plugins = [{ name: 'vite-plugin-x', api: { medusaVite: { rules: GOOD } } }];
    const { problems } = createRuleSet(collectRules({ plugins }), ROOT);
    expect(problems).toEqual([
      'The rules of the plugin `vite-plugin-x` are not a list, so there are none. Give an array.',
    ]);
  });

  test('with a note that is no text is reported, and decides', () => {
    const { rules, problems } = ruleSet([{ ...GOOD, note: 7 }]);
    expect(problems).toEqual([expect.stringContaining('has a `note` that is not a text')]);
    expect(rules).toHaveLength(1);
  });
});

describe('a rule that fails when it is asked', () => {
  const failing = (match: Rule['match']) => () =>
    decidingRule(ruleSet([{ ...GOOD, match }]).rules, file('src/a.ts'));

  test('is named, with the file and the reason', () => {
    const fail = failing(() => {
      throw new Error('no such thing');
    });
    expect(fail).toThrow(
      'The rule `graphql` of vite.config failed when it was asked about `src/a.ts`: no such thing.',
    );
  });

  test('because it answers with a promise, is reported as such', () => {
    const match = (async () => false) as unknown as Rule['match'];
    expect(failing(match)).toThrow('`match` answered with a promise');
  });
});
