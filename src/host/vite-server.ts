import type { ViteDevServer } from 'vite';
import { type HeadlessOptions, headlessConfig } from '../../plugins/headless.ts';
import { medusa } from '../../plugins/medusa.ts';
import { loadVite } from './project-vite.ts';
import { CLI_PLUGIN } from './way-in.ts';

/** The Vite of a project that is run by our own command. */
export async function createViteServer(options: HeadlessOptions): Promise<ViteDevServer> {
  const { createServer } = await loadVite(options.root);
  return createServer({
    ...headlessConfig(options),
    root: options.root,
    logLevel: 'error',
    plugins: [{ name: CLI_PLUGIN }, medusa()],
  });
}
