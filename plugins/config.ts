import type { Plugin } from 'vite';
import { launcherOf } from '../src/host/launchers/launcher.ts';
import { EXTENSIONS } from '../src/shared/extensions.ts';
import { VITE_ENVIRONMENT } from '../src/vite/vite-environment.ts';

/** Sets Vite up for backend code: a module graph of its own, aliases of `tsconfig.json`, packages left to Node. */
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
              // Linked packages too: Node's `require` decides for all packages which of two formats is loaded.
              external: true,
            },
          },
        },
      };
    },
    // The host decides what the change of a backend file takes, not Vite.
    hotUpdate: {
      order: 'post',
      handler() {
        return this.environment.name === VITE_ENVIRONMENT ? [] : undefined;
      },
    },
  };
}
