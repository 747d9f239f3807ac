import type { ViteDevServer } from 'vite';
import { medusa } from '../../plugins/medusa.ts';
import { CLI_PLUGIN } from '../host/launchers/launcher.ts';
import { type HeadlessOptions, headlessConfig } from '../vite/headless.ts';
import { loadVite } from '../vite/project-vite.ts';

/** The Vite of a project that our own command runs. */
export async function createViteServer(options: HeadlessOptions): Promise<ViteDevServer> {
  const { createServer } = await loadVite(options.root);
  return createServer({
    ...headlessConfig(options),
    root: options.root,
    logLevel: 'error',
    plugins: [{ name: CLI_PLUGIN }, medusa()],
  });
}
