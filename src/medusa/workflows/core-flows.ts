import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { MedusaPackages } from '../packages.ts';

/**
 * Medusa's boot asks for its workflows by `import()`, though they are CommonJS and mostly loaded by then. Node
 * then reads their 850 files once more, to find the names that they export. Asked before, it remembers them.
 * (`medusa/dist/loaders/index.js`, 2.12.1 to 2.21.2; where it is another way, this has no effect.)
 */
export async function nameCoreFlows(packages: MedusaPackages): Promise<void> {
  const file = packages.tryResolveFrom('@medusajs/medusa', '@medusajs/core-flows');
  // Never the first to load them.
  if (file !== undefined && createRequire(file).cache[file]?.loaded) {
    await import(pathToFileURL(file).href);
  }
}
