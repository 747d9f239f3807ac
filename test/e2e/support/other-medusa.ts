import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installOnce } from './install-once.ts';
import { SHOP } from './repository.ts';

/** Runs the tests on this Medusa, e.g. `2.12.1`, instead of the shop's. */
export const MEDUSA_VERSION: string | undefined = process.env.MEDUSA_VERSION || undefined;

/** Zod comes with Medusa, which does not know a schema of another major. */
const ZOD_BEFORE_2_13 = '3.25.76';

/** The folder of that Medusa, with the shop's other packages. */
export function otherMedusaFolder(version: string): string {
  return join(tmpdir(), `medusa-vite-shop-${version}`);
}

/** Installs that Medusa, unless an earlier run has done so. */
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
