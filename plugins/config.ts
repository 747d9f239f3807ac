import type { Plugin } from 'vite';

/** As Node looks for a file when the extension is missing, with those that Medusa's ts-node adds. */
const EXTENSIONS = ['.js', '.json', '.ts', '.tsx', '.jsx', '.mjs', '.mts', '.cts'];

/** What backend code needs of Vite: aliases of `tsconfig.json`, and packages left to Node. */
export function medusaConfig(): Plugin {
  return {
    name: 'medusa-vite:config',
    config: () => ({
      resolve: { tsconfigPaths: true },
      environments: {
        ssr: {
          resolve: {
            extensions: EXTENSIONS,
            // Also those that are linked: Node's `require` decides which of two formats is loaded, for all.
            external: true,
          },
        },
      },
    }),
  };
}
