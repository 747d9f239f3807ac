import type { MedusaPackages } from '../packages.ts';

/**
 * Evaluates `medusa-config`, which Medusa will then find evaluated.
 * (as `utils/dist/common/get-config-file.js` does, 2.12.1 to 2.21.2)
 */
export async function readConfig(packages: MedusaPackages, root: string): Promise<unknown> {
  const path = 'dist/common/dynamic-import.js';
  const { dynamicImport } = packages.require('@medusajs/utils', path) as {
    dynamicImport?: (path: string) => Promise<Record<string, unknown>>;
  };
  const exports = await dynamicImport?.(`${root}/medusa-config`);
  return exports?.default ?? exports;
}

export function databaseUrlOf(config: unknown): string | undefined {
  const { projectConfig } = Object(config) as { projectConfig?: { databaseUrl?: unknown } };
  const url = projectConfig?.databaseUrl;
  return typeof url === 'string' ? url : undefined;
}
