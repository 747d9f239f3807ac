import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tsconfigFiles } from '../../../src/project/tsconfig-files.ts';
import { toPosix } from '../../../src/shared/paths.ts';

let base: string;
let root: string;

beforeEach(() => {
  base = toPosix(realpathSync.native(mkdtempSync(join(tmpdir(), 'medusa-vite tsconfig ü '))));
  root = `${base}/apps/my shop`;
});

afterEach(() => {
  rmSync(base, { recursive: true });
});

function write(file: string, source: string): void {
  mkdirSync(dirname(`${base}/${file}`), { recursive: true });
  writeFileSync(`${base}/${file}`, source);
}

const found = () => tsconfigFiles(root).map((file) => file.slice(base.length + 1));

test('files that the project extends are found, at any depth, with comments and commas', () => {
  write(
    'apps/my shop/tsconfig.json',
    `// of the shop
{
  "compilerOptions": { "strict": true, },
  /* several */ "extends": ["../../tsconfig.base", "./config/more.json",],
}
// end`,
  );
  write('tsconfig.base.json', '{ "extends": "./config/strict.json" }');
  write('config/strict.json', '{}');
  write('apps/my shop/config/more.json', '{ "extends": "../tsconfig.json" }');
  expect(found()).toEqual([
    'apps/my shop/tsconfig.json',
    'tsconfig.base.json',
    'config/strict.json',
    'apps/my shop/config/more.json',
  ]);
});

test('files of packages of the workspace count, those of installed packages do not', () => {
  write('apps/my shop/tsconfig.json', '{ "extends": ["@acme/tsconfig/base", "@tsconfig/node20"] }');
  write('packages/tsconfig/package.json', '{ "name": "@acme/tsconfig" }');
  write('packages/tsconfig/base.json', '{}');
  write('node_modules/@tsconfig/node20/tsconfig.json', '{}');
  mkdirSync(`${base}/node_modules/@acme`, { recursive: true });
  symlinkSync(`${base}/packages/tsconfig`, `${base}/node_modules/@acme/tsconfig`, 'junction');
  expect(found()).toEqual(['apps/my shop/tsconfig.json', 'packages/tsconfig/base.json']);
});

test('a missing file counts; a file that cannot be read extends nothing', () => {
  write('apps/my shop/tsconfig.json', '{ "extends": "../missing" }');
  expect(found()).toEqual(['apps/my shop/tsconfig.json', 'apps/missing.json']);
  write('apps/my shop/tsconfig.json', '{ "extends": ');
  expect(found()).toEqual(['apps/my shop/tsconfig.json']);
  rmSync(`${root}/tsconfig.json`);
  expect(found()).toEqual(['apps/my shop/tsconfig.json']);
});
