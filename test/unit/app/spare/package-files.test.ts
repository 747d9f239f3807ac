import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PackageFiles } from '../../../../src/app/spare/package-files.ts';

let root: string;
let files: PackageFiles;
const inModules = (path: string) => join(root, 'node_modules', path);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medusa-vite ü '));
  for (const file of ['@a/b/dist/lib/c.js', '@a/b/package.json', 'd/index.js', 'd/package.json']) {
    mkdirSync(join(inModules(file), '..'), { recursive: true });
    writeFileSync(inModules(file), '1');
  }
  files = new PackageFiles();
  files.note(inModules('@a/b/dist/lib/c.js'));
  files.note(inModules('d/index.js'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

it('finds nothing if no file has changed', () => {
  expect(files.findChanged()).toBeUndefined();
});

describe('finds', () => {
  it.each<[string, string, () => void]>([
    [
      'a file of the same length and time',
      '@a/b/dist/lib/c.js',
      () => {
        const file = inModules('@a/b/dist/lib/c.js');
        writeFileSync(`${file}.new`, '2');
        renameSync(`${file}.new`, file);
        utimesSync(file, 0, 0);
      },
    ],
    ['a file that is gone', 'd/index.js', () => rmSync(inModules('d/index.js'))],
    [
      'the package.json of its package',
      '@a/b/package.json',
      () => writeFileSync(inModules('@a/b/package.json'), '23'),
    ],
    [
      'a file that may be found before it',
      '@a/b/dist/lib',
      () => writeFileSync(inModules('@a/b/dist/lib/c.json'), '{}'),
    ],
    [
      'a package inside of a package',
      '@a/b',
      () => mkdirSync(inModules('@a/b/node_modules/d'), { recursive: true }),
    ],
    ['a new package', '', () => mkdirSync(inModules('e'))],
  ])('%s', (_, path, change) => {
    change();
    // The change of its folder may be found first.
    expect(inModules(path).startsWith(files.findChanged() ?? 'nothing')).toBe(true);
  });
});
