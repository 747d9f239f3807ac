import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installOnce } from './install-once.ts';
import { SHOP } from './repository.ts';

/** Runs the tests on another Medusa than the one that the shop names, e.g. `2.12.1`. */
export const MEDUSA_VERSION: string | undefined = process.env.MEDUSA_VERSION || undefined;

/** Zod comes with Medusa, and a schema of another major is not one that it knows. */
const ZOD_BEFORE_2_13 = '3.25.76';

/** The folder in which that Medusa is installed, with what else the shop needs. */
export function otherMedusaFolder(version: string): string {
  return join(tmpdir(), `medusa-vite-shop-${version}`);
}

/** Installs it once; a later run finds it there. */
export function installOtherMedusa(version: string): Promise<void> {
  return installOnce(otherMedusaFolder(version), manifest(version));
}

function manifest(version: string): object {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(SHOP, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>;
  const all = { ...dependencies, ...devDependencies };
  delete all['medusa-vite'];
  for (const name of Object.keys(all)) {
    if (name.startsWith('@medusajs/')) {
      all[name] = version;
    }
  }
  if (/^2\.(?:\d|1[0-2])\./.test(version)) {
    all.zod = ZOD_BEFORE_2_13;
  }
  return { name: 'shop', private: true, dependencies: all };
}
