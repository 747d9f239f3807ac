import { join } from 'node:path';

export const REPOSITORY: string = join(import.meta.dirname, '../../..');
/** The program that the package installs as `medusa-vite`. */
export const CLI: string = join(REPOSITORY, 'dist/src/cli/bin.js');
export const SHOP: string = join(REPOSITORY, 'examples/shop');
