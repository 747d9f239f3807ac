import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { medusaRules } from '../../../plugins/rules.ts';
import type { Rule } from '../../../src/rules/rule.ts';
import { RuleBook } from '../../../src/rules/rule-book.ts';

/** Allows for a busy machine. */
const PATIENT = { timeout: 30_000 };

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'medusa-vite ü '));
  for (const file of ['src/a/b.graphql', 'src/c.ts', 'dist/built.js']) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), '');
  }
});

afterAll(() => rmSync(root, { recursive: true }));

const rule = (match: Rule['match'], name = 'x'): Rule => ({ name, match, action: 'restart' });
const configOf = (...rules: Rule[]) => ({ plugins: [medusaRules({ rules })] });

test('a glob that matches nothing is reported once, also when the config is read again', async () => {
  const warnings: string[] = [];
  const globs = ['src/**/*.graphql', 'src/*.ts', 'dist/*', 'src/*.graphql'];
  let config = configOf(rule(globs), rule(/nothing/));
  const book = new RuleBook({
    root,
    config: () => config,
    warn: (problem) => warnings.push(problem),
  });
  const expected = ['dist/*', 'src/*.graphql'].map((glob) =>
    expect.stringContaining(`matches \`${glob}\`, a glob of the rule \`x\` of vite.config`),
  );
  void book.current;
  await vi.waitFor(() => expect(warnings).toEqual(expected), PATIENT);

  config = configOf(rule([...globs, 'lib/**']));
  void book.current;
  await vi.waitFor(() => expect(warnings).toHaveLength(3), PATIENT);
  expect(warnings[2]).toContain('matches `lib/**`');
});

test('a config is checked once', () => {
  const warn = vi.fn();
  const config = configOf({ ...rule('src/**'), action: 'rotues' as 'restart' });
  const book = new RuleBook({ root, config: () => config, warn });
  expect(book.current).toBe(book.current);
  expect(warn).toHaveBeenCalledOnce();
});

test('two rules for one file are reported once, with the one that decides', async () => {
  const warnings: string[] = [];
  const config = configOf(rule('src/**', 'all'), rule(['src/**/*.graphql', 'src/a/*'], 'schema'));
  const book = new RuleBook({
    root,
    config: () => config,
    warn: (problem) => warnings.push(problem),
  });
  void book.current;
  await vi.waitFor(
    () => expect(warnings).toContainEqual(expect.stringContaining('matched by')),
    PATIENT,
  );
  expect(warnings.filter((line) => line.includes('matched by'))).toEqual([
    '`src/a/b.graphql` is matched by the rule `all` of vite.config and the rule `schema` of vite.config: the first of them decides.',
  ]);
});
