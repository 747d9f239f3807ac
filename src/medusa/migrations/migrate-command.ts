import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { MedusaViteError } from '../../shared/failure.ts';
import { findMedusaCli } from '../boot/cli.ts';

/**
 * What Node is called with to run `medusa db:migrate`, which then asks nothing of the terminal.
 * (`medusa/dist/commands/db/migrate.js`, 2.12.1 to 2.21.2)
 *
 * @throws MedusaViteError if the CLI is not installed
 */
export function migrateArguments(root: string): string[] {
  const cli = findMedusaCli(root);
  if (cli === undefined || !existsSync(cli)) {
    throw new MedusaViteError('The migrations need `@medusajs/cli`, which is not installed.', {
      code: 'DATABASE_MIGRATION_FAILED',
      hint: 'Run `npm install --save-dev @medusajs/cli` in the version of `@medusajs/medusa`.',
    });
  }
  // Beside the running CLI both are JavaScript; in a unit test nothing is spawned.
  const guard = new URL('./only-our-database.js', import.meta.url).href;
  const search = hasSearchIndexes(root) ? ['--execute-safe-search'] : [];
  return ['--import', guard, cli, 'db:migrate', '--execute-safe-links', ...search];
}

/** 2.12.1 has none, and refuses the option for them. */
function hasSearchIndexes(root: string): boolean {
  const require = createRequire(join(root, 'package.json'));
  try {
    return existsSync(require.resolve('@medusajs/medusa/commands/db/migrate-search'));
  } catch {
    return false;
  }
}
