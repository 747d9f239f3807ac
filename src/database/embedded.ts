import { realpathSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { ensureDatabase } from './database-client.ts';
import { DATABASE_FOLDER_NAME, resolveDatabaseFolder } from './database-folder.ts';
import type { GuardedProgram } from './guardian/guardian-messages.ts';
import { GuardianProcess } from './guardian/guardian-process.ts';
import { findEmbeddedPostgres, resolvePostgresPackage } from './server/postgres-package.ts';
import type { ProgramEnd } from './server/program-run.ts';

export interface EmbeddedDatabase {
  /** With the password: for `DATABASE_URL`, not for the terminal. */
  readonly url: string;
  readonly port: number;
  /** Whether this start has made the database: then it has no tables yet. */
  readonly isNew: boolean;
  /** Runs a program that ends together with the host, even when the host is killed. */
  run(program: GuardedProgram): Promise<ProgramEnd>;
  /** Stops PostgreSQL; may be called more than once. */
  stop(): Promise<void>;
}

export interface EmbeddedDatabaseOptions {
  root: string;
  /** @default 'medusa' */
  name?: string;
  log(line: string): void;
}

const DEFAULT_NAME = 'medusa';

export function isEmbeddedDatabaseInstalled(root: string): boolean {
  return findEmbeddedPostgres(root) !== undefined;
}

export async function startEmbeddedDatabase(
  options: EmbeddedDatabaseOptions,
): Promise<EmbeddedDatabase> {
  const startedAt = performance.now();
  const root = realpathSync(options.root);
  const name = options.name ?? DEFAULT_NAME;
  // A missing package is reported before a process is started for it.
  const binaries = await resolvePostgresPackage(root);
  const guardian = new GuardianProcess(root, options.log);
  try {
    const { port, user, password, version } = await guardian.start();
    const url = `postgres://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
    const isNew = await ensureDatabase({ port, user, password, name, entry: binaries.entry });
    const folder = resolveDatabaseFolder(root);
    // The fingerprint of a database that was dropped says nothing about this one.
    if (isNew) {
      await rm(folder.migrations, { force: true });
    }
    // The file of a host that was killed may be another user's.
    await rm(folder.url, { force: true });
    await writeFile(folder.url, `${url}\n`, { mode: 0o600 });
    const ms = Math.round(performance.now() - startedAt);
    const what = isNew ? `made the database \`${name}\`` : `found the database \`${name}\``;
    options.log(
      `PostgreSQL ${version.split('-')[0]} is ready on port ${port}, ${what} in ${DATABASE_FOLDER_NAME} (${ms} ms)`,
    );
    return {
      url,
      port,
      isNew,
      run: (program) => guardian.run(program),
      stop: async () => {
        await guardian.stop();
        await rm(folder.url, { force: true });
      },
    };
  } catch (error) {
    await guardian.stop();
    throw error;
  }
}
