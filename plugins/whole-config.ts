import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Plugin } from 'vite';

/** An editor fills a file within a millisecond of emptying it, on a busy machine within some more. */
const FILL_LIMIT_MS = 250;
const POLL_MS = 5;

/**
 * Keeps Vite from restarting with a config that is being written. It restarts at the first sign of a save, takes
 * a file that it finds empty for a config without plugins, and so would end the backend; of the rest of the
 * save its watcher does not tell.
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
        await filled(id);
      }
    },
  };
}

/** Resolves when there is something in the file, or nothing seems to come. */
async function filled(file: string): Promise<void> {
  const deadline = performance.now() + FILL_LIMIT_MS;
  while (performance.now() < deadline && (await isEmpty(file))) {
    await delay(POLL_MS);
  }
}

async function isEmpty(file: string): Promise<boolean> {
  const status = await stat(file).catch(() => undefined);
  return status?.size === 0;
}
