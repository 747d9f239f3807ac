import { createRequire } from 'node:module';
import { join } from 'node:path';
import { importBuilt } from './built-product.ts';
import { cleanEnv } from './clean-env.ts';
import { createProject } from './project.ts';

export interface TemplateDatabase {
  /** Only ever copied, since a template must have no connections. */
  url: string;
  publishableKey: string;
  stop(): Promise<void>;
}

/** The seed boots a Medusa: ten seconds on a slow machine. */
const SEED_WAIT_MS = 120_000;

/**
 * Starts a PostgreSQL with a migrated and seeded database that `createDatabase` copies.
 * @param medusa the version of Medusa, if not the installed one
 */
export async function startTemplateDatabase(medusa?: string): Promise<TemplateDatabase> {
  const { startEmbeddedDatabase } = await importBuilt<
    typeof import('../../../src/database/embedded.ts')
  >('src/database/embedded.js');
  const { migrateIfPending } = await importBuilt<
    typeof import('../../../src/medusa/migrations/migrations.ts')
  >('src/medusa/migrations/migrations.js');

  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const project = createProject({ medusa });
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
      return {
        url: database.url,
        publishableKey,
        async stop() {
          await database.stop();
          project.dispose();
        },
      };
    } catch (error) {
      await database.stop();
      throw error;
    }
  } catch (error) {
    console.error(lines.join('\n'));
    project.dispose();
    throw error;
  }
}
