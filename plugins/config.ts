import type { Plugin } from 'vite';
import { launcherOf } from '../src/host/launchers/launcher.ts';
import { EXTENSIONS } from '../src/shared/extensions.ts';
import { VITE_ENVIRONMENT } from '../src/vite/vite-environment.ts';

/** What backend code needs of Vite: a module graph of its own, aliases of `tsconfig.json`, packages left to Node. */
export function medusaConfig(): Plugin {
  return {
    name: 'medusa-vite:config',
    apply: (_config, { command, isPreview }) => command === 'serve' && !isPreview,
    config(config) {
      if (launcherOf(config.plugins) === 'test') {
        return undefined;
      }
      return {
        environments: {
          [VITE_ENVIRONMENT]: {
            consumer: 'server',
            resolve: {
              extensions: [...EXTENSIONS],
              tsconfigPaths: true,
              // Also those that are linked: Node's `require` decides which of two formats is loaded, for all.
              external: true,
            },
          },
        },
      };
    },
    // Whatever becomes of a backend file is the host's to decide, not Vite's.
    hotUpdate: {
      order: 'post',
      handler() {
        return this.environment.name === VITE_ENVIRONMENT ? [] : undefined;
      },
    },
  };
}
