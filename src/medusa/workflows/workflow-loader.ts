import type { Exports } from '../../shared/exports.ts';
import type { MedusaPackages } from '../packages.ts';

/**
 * Whether this Medusa loads `src/workflows/x/index.ts` by itself.
 * (`framework/dist/workflows/workflow-loader.js`: `allowIndex` in 2.21.2, not in 2.12.1)
 */
export function loadsIndexFiles(packages: Pick<MedusaPackages, 'isAtLeast'>): boolean {
  return packages.isAtLeast('2.13.0');
}

/** The ids of the workflows that a file exports. (the same, 2.12.1 to 2.21.2: by `getName()`) */
export function workflowIdsOf(exports: Exports): string[] {
  return Object.values(exports).flatMap((value) => {
    const { getName } = Object(value) as { getName?: () => unknown };
    const name = typeof getName === 'function' ? getName() : undefined;
    return typeof name === 'string' ? [name] : [];
  });
}
