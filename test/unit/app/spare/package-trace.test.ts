import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findUnasked, PackageTrace } from '../../../../src/app/spare/package-trace.ts';

const FILES = {
  'project.js': '',
  'node_modules/a/index.js': "require('b');",
  'node_modules/b/index.js': '',
  'node_modules/c/index.js': "exports.later = () => require('d');",
  'node_modules/d/index.js': '',
  'node_modules/plugin/index.js': "require('plugin/part');",
  'node_modules/plugin/part/index.js': "require('@medusajs/utils');",
  'node_modules/@medusajs/utils/index.js': '',
};

let root: string;
let require: NodeJS.Require;
let trace: PackageTrace;
const path = (name: string) => join(root, 'node_modules', name, 'index.js');

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite ü ')));
  for (const [file, source] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), source);
  }
  require = createRequire(join(root, 'project.js'));
  trace = new PackageTrace();
});

afterEach(() => {
  trace.stop();
  rmSync(root, { recursive: true, force: true });
});

it('notes the files that the project asks for, in order, whether they are loaded or not', () => {
  require('b');
  trace.start();
  require('c');
  trace.insidePackage(() => {
    require('a');
    trace.insideProject(() => require('d'));
  });
  require('b');
  require('./project.js');
  trace.stop();
  require('a');
  expect(trace.files).toEqual([path('c'), path('d'), path('b')]);
});

it('finds files that nothing asks for, if they import Medusa', () => {
  const { later } = require('c') as { later(): void };
  require('plugin');
  const loaded = ['c', 'plugin', 'plugin/part'].map(path);
  expect(findUnasked(loaded, [path('c')])).toEqual(['plugin', 'plugin/part'].map(path));
  expect(findUnasked(loaded, [path('plugin/part')])).toEqual([path('plugin')]);
  expect(findUnasked(loaded, [path('plugin')])).toEqual([]);
  later();
  expect(findUnasked([path('d')], [])).toEqual([]);
});
