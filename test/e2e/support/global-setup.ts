import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestProject } from 'vitest/node';
import { cleanEnv } from './clean-env.ts';
import { installOtherMedusa, MEDUSA_VERSION } from './other-medusa.ts';
import { createProject } from './project.ts';
import { REPOSITORY } from './repository.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Migrated and seeded; only ever copied, since a template must have no connections. */
    templateDatabaseUrl: string;
    publishableKey: string;
  }
}

/** The seed boots a Medusa: ten seconds on a slow machine. */
const SEED_WAIT_MS = 120_000;

/** Builds the CLI, and makes one PostgreSQL for the whole run with a database that tests copy. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  build();
  if (MEDUSA_VERSION) {
    installOtherMedusa(MEDUSA_VERSION);
  }
  const { startEmbeddedDatabase } = await importBuilt<
    typeof import('../../../src/database/embedded.ts')
  >('src/database/embedded.js');
  const { migrateIfPending } = await importBuilt<
    typeof import('../../../src/database/migrations.ts')
  >('src/database/migrations.js');

  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const project = createProject();
  try {
    const database = await startEmbeddedDatabase({ root: project.root, log });
    try {
      await migrateIfPending({ root: project.root, database, env: cleanEnv(), log });
      const cli = createRequire(join(project.root, 'package.json')).resolve('@medusajs/cli/cli.js');
      const { code, output } = await database.run({
        command: process.execPath,
        args: [cli, 'exec', './src/scripts/seed.ts'],
        cwd: project.root,
        env: cleanEnv({ DATABASE_URL: database.url }),
        limitMs: SEED_WAIT_MS,
      });
      const publishableKey = /^SHOP_PUBLISHABLE_KEY=(\w+)$/m.exec(output)?.[1];
      if (code !== 0 || publishableKey === undefined) {
        throw new Error(`The seed ended with code ${code}:\n${output}`);
      }
      provide('templateDatabaseUrl', database.url);
      provide('publishableKey', publishableKey);
    } catch (error) {
      await database.stop();
      throw error;
    }
    return async () => {
      await database.stop();
      project.dispose();
    };
  } catch (error) {
    console.error(lines.join('\n'));
    project.dispose();
    throw error;
  }
}

function build(): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  const result = spawnSync(
    process.execPath,
    [join(tsc, '../bin/tsc'), '-p', 'tsconfig.build.json'],
    { cwd: REPOSITORY, encoding: 'utf8' },
  );
  if (result.status !== 0) {
    throw new Error(`The build failed:\n${result.stdout}${result.stderr}`);
  }
}

function importBuilt<T>(file: string): Promise<T> {
  return import(/* @vite-ignore */ pathToFileURL(join(REPOSITORY, 'dist', file)).href);
}
