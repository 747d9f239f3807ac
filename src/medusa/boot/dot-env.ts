import { MedusaViteError } from '../../shared/failure.ts';
import type { MedusaPackages } from '../packages.ts';

/** Reads `.env` as `medusa develop` does, before `defineConfig` and the loaders read the environment. */
export function readDotEnv(packages: MedusaPackages): void {
  const dotenv = packages.requireFrom('@medusajs/utils', 'dotenv') as Partial<{
    config(options: { quiet: boolean }): unknown;
  }>;
  if (typeof dotenv.config !== 'function') {
    throw new MedusaViteError('`dotenv` of `@medusajs/utils` has no `config()`.', {
      code: 'UNEXPECTED_MEDUSA',
    });
  }
  dotenv.config({ quiet: true });
}
