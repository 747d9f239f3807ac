import { readFile, rename, writeFile } from 'node:fs/promises';
import { DATABASE_FOLDER_NAME, resolveDatabaseFolder } from '../../database/database-folder.ts';
import type { EmbeddedDatabase } from '../../database/embedded.ts';
import { MedusaViteError } from '../../shared/failure.ts';
import { FOREIGN_DATABASE_CODE } from './foreign-database-code.ts';
import { migrateArguments } from './migrate-command.ts';
import { fingerprintMigrations } from './migration-fingerprint.ts';

export interface MigrateOptions {
  readonly root: string;
  readonly database: EmbeddedDatabase;
  readonly env: NodeJS.ProcessEnv;
  log(line: string): void;
}

/** A first run takes half a minute on a slow machine; a migration script of the user may import a shop. */
const MIGRATE_WAIT_MS = 15 * 60_000;
const TAIL_LINES = 40;

/**
 * Runs `medusa db:migrate` of the project's own Medusa when the database is new, or when what the
 * migrations depend on differs from what it was at the last run.
 */
export async function migrateIfPending(
  options: MigrateOptions,
): Promise<'migrated' | 'up-to-date'> {
  const { root, database, env, log } = options;
  const file = resolveDatabaseFolder(root).migrations;
  const name = new URL(database.url).pathname.slice(1);
  const fingerprint = await fingerprintMigrations(root, env);
  // A new database has no fingerprint: its start removed the one of its predecessor.
  if ((await readFingerprint(file, name)) === fingerprint) {
    return 'up-to-date';
  }

  log(
    database.isNew
      ? 'migrating the new database'
      : 'migrating the database: what it is made of changed',
  );
  const startedAt = performance.now();
  const end = await database.run({
    command: process.execPath,
    args: migrateArguments(root),
    cwd: root,
    env: definedOnly({ ...env, DATABASE_URL: database.url }),
    limitMs: MIGRATE_WAIT_MS,
  });
  const output = withoutPassword(end.output, database.url);
  if (end.code === FOREIGN_DATABASE_CODE) {
    throw foreignDatabase(output);
  }
  if (end.code !== 0) {
    const reason = end.signal === null ? `code \`${end.code}\`` : `signal \`${end.signal}\``;
    const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    throw new MedusaViteError(
      `\`medusa db:migrate\` failed (${reason}). Its last lines:\n${tail}`,
      {
        code: 'DATABASE_MIGRATION_FAILED',
        hint: output.includes('ts-node cannot be loaded')
          ? 'The Medusa CLI reads TypeScript through `ts-node`: run `npm install --save-dev ts-node`.'
          : `Mend what it names and start again; to begin with an empty database, delete \`${DATABASE_FOLDER_NAME}\`.`,
      },
    );
  }
  await writeFingerprint(file, name, fingerprint);
  log(`migrated the database (${Math.round(performance.now() - startedAt)} ms)`);
  return 'migrated';
}

async function readFingerprint(file: string, database: string): Promise<string | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null) {
      return undefined;
    }
    const fingerprint: unknown = Reflect.get(value, database);
    return typeof fingerprint === 'string' ? fingerprint : undefined;
  } catch {
    // Missing or damaged: to migrate once more is harmless.
    return undefined;
  }
}

async function writeFingerprint(file: string, database: string, value: string): Promise<void> {
  const unfinished = `${file}.new`;
  await writeFile(unfinished, `${JSON.stringify({ [database]: value }, null, 2)}\n`);
  await rename(unfinished, file);
}

function foreignDatabase(output: string): MedusaViteError {
  const line = output.split('\n').findLast((text) => text.includes('medusa-vite:'));
  return new MedusaViteError(
    line?.slice(line.indexOf('medusa-vite:') + 'medusa-vite:'.length).trim() ??
      'The project names a database of its own, which is never migrated by `medusa-vite dev`.',
    {
      code: 'DATABASE_NAMED_BY_PROJECT',
      hint: 'Use `process.env.DATABASE_URL` for `databaseUrl` in `medusa-config`, or set `DATABASE_URL` and run `medusa db:migrate` yourself.',
    },
  );
}

function withoutPassword(output: string, url: string): string {
  const { password } = new URL(url);
  return password === '' ? output : output.replaceAll(password, '***');
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
