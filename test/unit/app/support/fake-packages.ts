import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { MedusaPackages } from '../../../../src/medusa/packages.ts';
import { REPOSITORY } from '../../../e2e/support/repository.ts';

/** Files of Medusa's packages, by package and path, with what they export. */
export type PackageFiles = Record<string, Record<string, unknown>>;

/** Medusa's packages with these files only; their dependencies are the real ones. */
export function fakePackages(
  files: PackageFiles,
  dependencies: Record<string, unknown> = {},
): MedusaPackages {
  const real = createRequire(join(REPOSITORY, 'node_modules/@medusajs/framework/package.json'));
  const packages: Partial<MedusaPackages> = {
    has: (name) => Object.keys(files).some((file) => file.startsWith(`${name}/`)),
    require: (name, path) => {
      const exports = files[`${name}/${path}`];
      if (!exports) {
        throw new Error(`There is no ${name}/${path} in this test`);
      }
      return exports;
    },
    requireFrom: (_name, specifier) => dependencies[specifier] ?? real(specifier),
    tryRequireThrough: (_name, specifier) => dependencies[specifier],
    assertReplaceable: () => {},
    assertMethods: () => {},
    isAtLeast: () => true,
    unexpected: (what) => new Error(`unexpected: ${what}`) as never,
  };
  return packages as MedusaPackages;
}
