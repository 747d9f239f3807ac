import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDotEnv, topLevelFiles, workspaceLockfiles } from '../../../src/project/project.ts';
import { toPosix } from '../../../src/shared/paths.ts';

let base: string;
let root: string;

beforeEach(() => {
  base = toPosix(realpathSync.native(mkdtempSync(join(tmpdir(), 'medusa-vite project '))));
  root = `${base}/apps/shop`;
  mkdirSync(root, { recursive: true });
});

afterEach(() => {
  rmSync(base, { recursive: true });
});

describe('lockfiles of the workspace', () => {
  it('are those above the project, up to its repository', () => {
    mkdirSync(`${base}/.git`);
    writeFileSync(`${base}/pnpm-lock.yaml`, '');
    writeFileSync(`${base}/apps/package-lock.json`, '');
    writeFileSync(`${root}/yarn.lock`, '');
    expect(workspaceLockfiles(root)).toEqual([
      `${base}/apps/package-lock.json`,
      `${base}/pnpm-lock.yaml`,
    ]);
  });

  it('are none if the project is the repository, or there is no repository', () => {
    writeFileSync(`${base}/yarn.lock`, '');
    expect(workspaceLockfiles(root)).toEqual([]);
    mkdirSync(`${root}/.git`);
    expect(workspaceLockfiles(root)).toEqual([]);
  });
});

it('reads `.env` as it is now', () => {
  expect(readDotEnv(root)).toEqual({});
  writeFileSync(`${root}/.env`, 'A=1\nB="two words" # not this\n');
  expect(readDotEnv(root)).toEqual({ A: '1', B: 'two words' });
});

it('lists the files of the top folder, and no folders', () => {
  writeFileSync(`${root}/.env`, '');
  mkdirSync(`${root}/src`);
  expect(topLevelFiles(root)).toEqual([`${root}/.env`]);
});
