import { basename } from 'node:path';
import type { Plugin } from 'vite';
import { untilFilled } from '../src/vite/until-filled.ts';

/**
 * Keeps Vite from restarting with a config that is still being written. Vite restarts at the first event of a
 * change, and takes an empty CommonJS file for a config without plugins: the backend would end. Vite's watcher
 * does not report the rest of the change.
 */
export function medusaWholeConfig(): Plugin {
  let files = new Set<string>();
  return {
    name: 'medusa-vite:whole-config',
    apply: 'serve',
    configResolved({ configFile = '', configFileDependencies }) {
      files = new Set([configFile, ...configFileDependencies]);
    },
    // Vite waits for this before it restarts.
    async watchChange(id, { event }) {
      if (event !== 'delete' && (files.has(id) || basename(id).startsWith('.env'))) {
        await untilFilled(id);
      }
    },
  };
}
