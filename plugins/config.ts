import type { Plugin } from 'vite';

/** What backend code needs of Vite: aliases of `tsconfig.json`, and packages left to Node. */
export function medusaConfig(): Plugin {
  return {
    name: 'medusa-vite:config',
    config: () => ({ resolve: { tsconfigPaths: true } }),
  };
}
