import { basename } from 'node:path';
import type { Plugin } from 'vite';
import { untilFilled } from '../src/vite/until-filled.ts';

/**
 * Keeps Vite from restarting with a config that is being written. It restarts at the first sign of a save, and an
 * empty CommonJS file is a config to it, one without plugins: the backend would end. Of the rest of the save
 * its watcher does not tell.
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
