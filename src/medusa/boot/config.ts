import type { MedusaPackages } from '../packages.ts';

/** Evaluates `medusa-config`, which Medusa will then find evaluated. */
export async function readConfig(packages: MedusaPackages, root: string): Promise<unknown> {
  const path = 'dist/common/dynamic-import.js';
  const { dynamicImport } = packages.require('@medusajs/utils', path) as {
    dynamicImport?: (path: string) => Promise<Record<string, unknown>>;
  };
  const exports = await dynamicImport?.(`${root}/medusa-config`);
  return exports?.default ?? exports;
}
