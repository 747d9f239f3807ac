import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findPackage } from '../../project/medusa-version.ts';

/**
 * The file that `medusa` is on the command line. It may be hoisted, or be within reach of `@medusajs/medusa` only,
 * which depends on it. (`@medusajs/cli/cli.js`, 2.12.1 to 2.21.2)
 *
 * @returns undefined if it is not installed
 */
export function findMedusaCli(root: string): string | undefined {
  const fromProject = createRequire(join(root, 'package.json'));
  const medusa = findPackage(fromProject, '@medusajs/medusa');
  const fromMedusa = medusa && createRequire(join(medusa.folder, 'package.json'));
  for (const require of [fromProject, fromMedusa]) {
    try {
      const file = require?.resolve('@medusajs/cli/cli.js');
      if (file !== undefined) {
        return file;
      }
    } catch {
      // The next place.
    }
  }
  return undefined;
}
