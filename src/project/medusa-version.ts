import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MedusaViteError } from '../shared/failure.ts';

/** The oldest Medusa whose internals this project knows. */
const OLDEST_VERSION = '2.12.1';
const NEXT_MAJOR = '3.0.0';

export interface FoundPackage {
  folder: string;
  version: string;
}

/** @throws MedusaViteError if Medusa is missing or not supported */
export function findSupportedMedusa(root: string): FoundPackage {
  const fromProject = createRequire(join(root, 'package.json'));
  const medusa = findPackage(fromProject, '@medusajs/medusa');
  if (!medusa) {
    throw new MedusaViteError('`@medusajs/medusa` is not installed in this project.', {
      code: 'NO_MEDUSA',
      hint: 'Install the dependencies of the project (`npm install`) and try again.',
    });
  }
  assertSupported(medusa.version);
  return medusa;
}

/** Looks in the folders where Node does, but for the folder: `exports` of some packages hides their package.json. */
export function findPackage(require: NodeJS.Require, name: string): FoundPackage | undefined {
  for (const modules of require.resolve.paths(name) ?? []) {
    const file = join(modules, name, 'package.json');
    if (existsSync(file)) {
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
      return { folder: realpathSync.native(dirname(file)), version };
    }
  }
  return undefined;
}

function assertSupported(version: string): void {
  if (compareVersions(version, OLDEST_VERSION) < 0 || compareVersions(version, NEXT_MAJOR) >= 0) {
    throw new MedusaViteError(
      `Medusa ${version} is not supported: medusa-vite needs ${OLDEST_VERSION} or newer, below ${NEXT_MAJOR}.`,
      {
        code: 'UNSUPPORTED_MEDUSA',
        hint: 'Change the version of the `@medusajs/*` packages of the project, or use `medusa develop`.',
      },
    );
  }
}

/** Negative if the first is older. A pre-release counts as the version that it leads to. */
export function compareVersions(first: string, second: string): number {
  const release = (version: string) => version.replace(/[-+].*/, '');
  return release(first).localeCompare(release(second), 'en', { numeric: true });
}
