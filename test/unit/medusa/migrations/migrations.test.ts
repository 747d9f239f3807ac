import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedDatabase } from '../../../../src/database/embedded.ts';
import type { GuardedProgram } from '../../../../src/database/guardian/guardian-messages.ts';
import type { ProgramEnd } from '../../../../src/database/server/program-run.ts';
import { FOREIGN_DATABASE_CODE } from '../../../../src/medusa/migrations/foreign-database-code.ts';
import { fingerprintMigrations } from '../../../../src/medusa/migrations/migration-fingerprint.ts';
import { migrateIfPending } from '../../../../src/medusa/migrations/migrations.ts';

const SUCCESS: ProgramEnd = { code: 0, signal: null, output: '' };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medusa-vite-migrations-'));
  write('package.json', '{"dependencies":{"@medusajs/medusa":"2.0.0","some-plugin":"1.0.0"}}');
  write('medusa-config.ts', 'export default {}');
  write('src/modules/brand/index.ts', '// index');
  write('src/modules/brand/service.ts', '// service');
  write('src/modules/brand/models/brand.ts', '// model');
  write('src/modules/brand/migrations/Migration1.ts', '// first');
  write('src/links/brand-product.ts', '// link');
  write('src/api/route.ts', '// route');
  write('.medusa/postgres/.gitignore', '*');
  write('node_modules/@medusajs/medusa/package.json', '{"version":"2.0.0"}');
  write('node_modules/@medusajs/cli/cli.js', '');
  write('node_modules/some-plugin/package.json', '{"version":"1.0.0"}');
  write('node_modules/some-plugin/.medusa/server/src/modules/x/migrations/Migration1.js', '');
});
afterEach(() => rmSync(root, { recursive: true }));

describe('fingerprintMigrations', () => {
  it.each([
    ['a model', 'src/modules/brand/models/brand.ts'],
    ['a new migration', 'src/modules/brand/migrations/Migration2.ts'],
    ['a module', 'src/modules/brand/index.ts'],
    ['a link', 'src/links/brand-product.ts'],
    ['a migration script', 'src/migration-scripts/seed.ts'],
    ['the config', 'medusa-config.ts'],
    ['the version of Medusa', 'node_modules/@medusajs/medusa/package.json'],
    [
      'a new migration of a plugin',
      'node_modules/some-plugin/.medusa/server/src/modules/x/migrations/Migration2.js',
    ],
  ])('changes with %s', async (_, file) => {
    const before = await fingerprintMigrations(root, {});
    write(file, file.endsWith('package.json') ? '{"version":"2.1.0"}' : '// changed');
    expect(await fingerprintMigrations(root, {})).not.toBe(before);
  });

  it('changes with a feature flag, which may switch on a module, but not with ours', async () => {
    const before = await fingerprintMigrations(root, {});
    expect(await fingerprintMigrations(root, { MEDUSA_FF_BACKEND_HMR: 'true' })).toBe(before);
    expect(await fingerprintMigrations(root, { MEDUSA_FF_RBAC: 'true' })).not.toBe(before);
    write('.env', 'MEDUSA_FF_RBAC=true\n');
    expect(await fingerprintMigrations(root, {})).not.toBe(before);
  });

  it('stays the same for code that has no tables', async () => {
    const before = await fingerprintMigrations(root, {});
    write('src/api/route.ts', '// changed');
    write('src/modules/brand/service.ts', '// changed');
    write('.env', 'JWT_SECRET=changed\n');
    expect(await fingerprintMigrations(root, {})).toBe(before);
  });
});

describe('migrateIfPending', () => {
  it('migrates a new database once, then again only after a change', async () => {
    const database = fakeDatabase(SUCCESS);
    expect(await migrate(database)).toBe('migrated');
    expect(await migrate(database)).toBe('up-to-date');
    write('src/modules/brand/migrations/Migration2.ts', '// second');
    expect(await migrate(database)).toBe('migrated');
    expect(database.programs).toHaveLength(2);
  });

  it('runs the CLI of the project on our database, and never waits for an answer', async () => {
    const database = fakeDatabase(SUCCESS);
    await migrate(database);
    const [program] = database.programs;
    expect(program?.args).toContain(join(root, 'node_modules/@medusajs/cli/cli.js'));
    expect(program?.args.slice(-2)).toEqual(['db:migrate', '--execute-safe-links']);
    expect(program?.env).toMatchObject({ DATABASE_URL: database.url, MINE: 'yes' });
    expect(program?.cwd).toBe(root);
  });

  it('passes the option for search indexes to a Medusa that has them', async () => {
    write('node_modules/@medusajs/medusa/commands/db/migrate-search.js', '');
    const database = fakeDatabase(SUCCESS);
    await migrate(database);
    expect(database.programs[0]?.args.at(-1)).toBe('--execute-safe-search');
  });

  it('shows the end of the output when it fails, without the password, and tries again', async () => {
    const output = `${'earlier\n'.repeat(100)}connecting to postgres://medusa:secret@x\nrelation exists`;
    const database = fakeDatabase({ code: 1, signal: null, output });
    const failure = await migrate(database).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'DATABASE_MIGRATION_FAILED' });
    expect(String(failure)).toContain('relation exists');
    expect(String(failure)).not.toContain('secret');
    expect(await migrate(fakeDatabase(SUCCESS))).toBe('migrated');
  });

  it('says so when the project names a database of its own', async () => {
    const database = fakeDatabase({
      code: FOREIGN_DATABASE_CODE,
      signal: null,
      output: 'info\nmedusa-vite: The project connects to `live:5432`.\n',
    });
    await expect(migrate(database)).rejects.toMatchObject({
      code: 'DATABASE_NAMED_BY_PROJECT',
      message: 'The project connects to `live:5432`.',
    });
  });
});

interface FakeDatabase extends EmbeddedDatabase {
  readonly programs: GuardedProgram[];
}

function fakeDatabase(end: ProgramEnd): FakeDatabase {
  const programs: GuardedProgram[] = [];
  return {
    url: 'postgres://medusa:secret@127.0.0.1:5999/medusa',
    port: 5999,
    isNew: false,
    programs,
    run: async (program) => {
      programs.push(program);
      return end;
    },
    stop: async () => {},
  };
}

function migrate(database: EmbeddedDatabase): Promise<string> {
  return migrateIfPending({ root, database, env: { MINE: 'yes' }, log: () => {} });
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}
