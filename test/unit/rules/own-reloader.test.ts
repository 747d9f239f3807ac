import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveReloader } from '../../../src/rules/own-reloader.ts';
import { toPosix } from '../../../src/shared/paths.ts';
import { planChange } from '../../../src/testing.ts';

let root: string;

beforeAll(() => {
  root = toPosix(realpathSync.native(mkdtempSync(join(tmpdir(), 'medusa-vite ü '))));
  write('reloaders/notices.ts');
  write('reloaders/folder/index.ts');
  write('node_modules/plugin/package.json', '{ "exports": { "./reloader": "./reloader.js" } }');
  write('node_modules/plugin/reloader.js');
  write('node_modules/plugin/index.js');
  write('node_modules/modern/package.json', '{ "exports": { "./r": { "import": "./r.mjs" } } }');
});

afterAll(() => rmSync(root, { recursive: true }));

test.each([
  ['a path of the project', './reloaders/notices.ts', 'reloaders/notices.ts'],
  ['a path without extension', './reloaders/notices', 'reloaders/notices.ts'],
  ['a folder', './reloaders/folder', 'reloaders/folder/index.ts'],
  ['a package', 'plugin/reloader', 'node_modules/plugin/reloader.js'],
])('%s is found', (_what, reloader, expected) => {
  expect(resolveReloader({ reloader }, root)).toEqual({
    name: expected,
    specifier: `${root}/${expected}`,
  });
});

test('an absolute path and a URL are found', () => {
  const path = `${root}/reloaders/notices.ts`;
  for (const reloader of [path, pathToFileURL(path).href]) {
    expect(resolveReloader({ reloader }, root).specifier).toBe(path);
  }
});

test('a plugin’s own module is found from there', () => {
  const from = pathToFileURL(`${root}/node_modules/plugin/index.js`).href;
  const { specifier } = resolveReloader({ reloader: './reloader.js', from }, '/elsewhere');
  expect(specifier).toBe(`${root}/node_modules/plugin/reloader.js`);
});

test('a package that only `import` can resolve is left to the app', () => {
  expect(resolveReloader({ reloader: 'modern/r' }, root).specifier).toBe('modern/r');
});

test('a change of a reloader restarts, even if its file was missing', () => {
  const rules = [
    { name: 'a', match: 'a/*', action: { reloader: './reloaders/notices.ts' } },
    { name: 'b', match: 'b/*', action: { reloader: './reloaders/missing' } },
  ];
  for (const path of ['reloaders/notices.ts', 'reloaders/missing.ts', 'reloaders/missing.js']) {
    const change = { path, change: 'create' as const };
    expect(planChange({ rules, root, change })).toMatchObject({
      result: 'restart',
      rule: { name: 'own reloader' },
    });
  }
});

function write(path: string, text = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
