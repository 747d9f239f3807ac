import { describe, expect, test } from 'vitest';
import texts from '../../examples/rules/vite-plugin-texts/index.js';
import type { Rule } from '../../src/rules/rule.ts';
import { planChange } from '../../src/testing.ts';

const FILES = {
  'src/api/shop/route.ts': ['src/lib/shop.ts'],
  'src/jobs/count.ts': ['src/lib/shop.ts'],
  'src/lib/shop.ts': ['src/graphql/schema.ts'],
};

describe('a planned change', () => {
  test('is reloaded by each resource above it, each with its chain', () => {
    const planned = planChange({ files: FILES, change: 'src/graphql/schema.ts' });
    expect(planned).toMatchObject({
      result: 'reload',
      reloads: [
        { reloader: 'routes', files: [{ path: 'src/api/shop/route.ts', change: 'update' }] },
        { reloader: 'jobs', files: [{ path: 'src/jobs/count.ts', change: 'update' }] },
      ],
      decisions: [
        {
          rule: { name: 'route', from: 'built-in', action: 'routes' },
          chain: ['src/graphql/schema.ts', 'src/lib/shop.ts', 'src/api/shop/route.ts'],
        },
        { rule: { name: 'job' } },
      ],
      problems: [],
    });
    expect(planned.rule).toBeUndefined();
  });

  test('has the rule that decided, and the rules that matched after it', () => {
    const planned = planChange({
      rules: [{ name: 'no shop', match: 'src/api/shop/*', action: 'ignore' }],
      files: FILES,
      change: 'src/api/shop/route.ts',
    });
    expect(planned).toMatchObject({
      result: 'ignore',
      reason: 'ignored by the rule `no shop`',
      rule: { name: 'no shop', from: 'vite.config', action: 'ignore' },
      chain: ['src/api/shop/route.ts'],
      decisions: [{ others: [{ name: 'route', from: 'built-in', action: 'routes' }] }],
    });
  });

  test('of a file that no rule matches and no app has loaded is ignored', () => {
    expect(planChange({ change: 'README.md' })).toMatchObject({
      result: 'ignore',
      reason: 'not loaded by the app',
      decisions: [],
      chain: ['README.md'],
    });
  });

  test('of a file that other code has asked for restarts', () => {
    const planned = planChange({ files: { 'a.ts': [] }, entries: ['a.ts'], change: 'a.ts' });
    expect(planned).toMatchObject({ result: 'restart', chain: ['a.ts'] });
    expect(planned.rule).toBeUndefined();
  });

  test('below the config restarts, unless the imports of the config stay the same', () => {
    const planned = planChange({
      files: { 'medusa-config.ts': ['config/http.ts'] },
      change: 'config/http.ts',
    });
    expect(planned).toMatchObject({
      result: 'restart',
      rule: { name: 'config' },
      chain: ['config/http.ts', 'medusa-config.ts'],
      guards: [{ path: 'medusa-config.ts', imports: 'config/http.ts' }],
    });
  });

  test('may create or delete a file', () => {
    const change = { path: 'src/api/new/route.ts', change: 'create' as const };
    expect(planChange({ change }).reloads).toEqual([{ reloader: 'routes', files: [change] }]);
  });
});

describe('a rule', () => {
  test('sees the file, the import chain and what is affected', () => {
    const asked: unknown[] = [];
    const spy: Rule = {
      name: 'spy',
      match: ({ path, change, isLoaded, chain, affected }) => {
        asked.push({ path, change, isLoaded, chain, affected });
        return false;
      },
      action: 'ignore',
    };
    planChange({ rules: [spy], files: FILES, change: 'src/lib/shop.ts' });
    // Asked again, to find other rules that match.
    expect(asked.slice(0, 3)).toEqual([
      {
        path: 'src/lib/shop.ts',
        change: 'update',
        isLoaded: true,
        chain: ['src/lib/shop.ts'],
        affected: ['src/lib/shop.ts', 'src/api/shop/route.ts', 'src/jobs/count.ts'],
      },
      {
        path: 'src/api/shop/route.ts',
        change: 'update',
        isLoaded: true,
        chain: ['src/lib/shop.ts', 'src/api/shop/route.ts'],
        affected: ['src/api/shop/route.ts'],
      },
      {
        path: 'src/jobs/count.ts',
        change: 'update',
        isLoaded: true,
        chain: ['src/lib/shop.ts', 'src/jobs/count.ts'],
        affected: ['src/jobs/count.ts'],
      },
    ]);
  });

  test('with its own reloader is planned under the path of the reloader', () => {
    const planned = planChange({
      rules: [{ name: 'notices', match: 'src/notices/*', action: { reloader: './notices.ts' } }],
      change: { path: 'src/notices/welcome.md', change: 'create' },
    });
    expect(planned).toMatchObject({
      result: 'reload',
      rule: { name: 'notices', action: 'notices.ts' },
      reloads: [{ reloader: 'notices.ts', files: [{ path: 'src/notices/welcome.md' }] }],
    });
  });

  test('with a mistake is told', () => {
    const rules = [{ name: 'typo', match: 'a', action: 'rotues' }] as unknown as Rule[];
    expect(planChange({ rules, change: 'a' })).toMatchObject({
      result: 'restart',
      problems: [expect.stringContaining('`rotues`')],
    });
  });

  test('that fails is thrown', () => {
    const match = () => {
      throw new Error('oops');
    };
    const rules: Rule[] = [{ name: 'x', match, action: 'ignore' }];
    expect(() => planChange({ rules, change: 'a' })).toThrow('The rule `x` of vite.config failed');
  });

  test('of a plugin counts, even of a plugin in a list', () => {
    const rule = (name: string): Rule => ({ name, match: `${name}/*`, action: 'restart' });
    const plugin = (name: string) => ({ name, api: { medusaVite: { rules: [rule(name)] } } });
    const plugins = [plugin('one'), [plugin('two')]];
    expect(planChange({ plugins, change: 'one/a' }).rule?.from).toBe('one');
    expect(planChange({ plugins, change: 'two/a' }).rule?.from).toBe('two');
  });

  test('that ignores a file on the way up ends the path there', () => {
    const rules: Rule[] = [{ name: 'cut', match: 'src/lib/shop.ts', action: 'ignore' }];
    const planned = planChange({ rules, files: FILES, change: 'src/graphql/schema.ts' });
    expect(planned.reloads).toEqual([]);
    expect(planned.decisions).toMatchObject([{ path: 'src/lib/shop.ts', rule: { name: 'cut' } }]);
  });

  test('has its note told, but only for the changed file', () => {
    const note = 'run the generator';
    const rules: Rule[] = [{ name: 'shop', match: 'src/lib/shop.ts', action: 'restart', note }];
    expect(planChange({ rules, files: FILES, change: 'src/lib/shop.ts' }).notes).toEqual([note]);
    expect(planChange({ rules, files: FILES, change: 'src/graphql/schema.ts' }).notes).toEqual([]);
  });

  test('that is built in can be left out', () => {
    const change = 'src/api/shop/route.ts';
    const planned = planChange({ builtInRules: [], files: FILES, entries: [change], change });
    expect(planned.result).toBe('restart');
  });
});

describe('as in the guide:', () => {
  test('a plugin is tested', () => {
    const planned = planChange({
      plugins: [texts()],
      files: { 'src/api/texts/route.ts': ['src/texts/imprint.md'] },
      change: 'src/texts/imprint.md',
    });
    expect(planned.result).toBe('reload');
    expect(planned.problems).toEqual([]);
    expect(planned.decisions.map(({ chain, rule }) => [rule.name, ...chain])).toEqual([
      ['texts', 'src/texts/imprint.md'],
      ['route', 'src/texts/imprint.md', 'src/api/texts/route.ts'],
    ]);
  });

  test('a rule for workflows goes by the import chain', () => {
    const rule: Rule = {
      name: 'pricing in workflows',
      match: ({ path, chain }) =>
        path.startsWith('src/workflows/') && chain[0] === 'src/lib/pricing.ts',
      action: 'restart',
    };
    const files = {
      'src/api/pricing/route.ts': ['src/lib/pricing.ts'],
      'src/workflows/pricing.ts': ['src/lib/pricing.ts', 'src/lib/other.ts'],
    };
    const plan = (change: string) => planChange({ rules: [rule], files, change });
    expect(plan('src/lib/pricing.ts').guards).toMatchObject([{ path: 'src/workflows/pricing.ts' }]);
    expect(plan('src/lib/other.ts').guards).toEqual([]);
    expect(plan('src/workflows/pricing.ts').result).toBe('reload');
  });
});
