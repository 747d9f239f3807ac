import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { builtInRules } from '../../../src/rules/built-in.ts';

test('the guide has the built-in rules, in their order', () => {
  const guide = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8');
  const table = guide.slice(guide.indexOf('## The built-in rules'));
  const rows = table.matchAll(/^\| `([^`]+)` +\| .* \| `(\w+)` +\|$/gm);
  expect([...rows].map(([, name, action]) => [name, action])).toEqual(
    builtInRules.map(({ name, action }) => [name, action]),
  );
});
