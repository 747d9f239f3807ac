import { createServer, type ViteDevServer } from 'vite';
import { type HeadlessOptions, headlessConfig } from '../../plugins/headless.ts';
import { medusa } from '../../plugins/medusa.ts';
import { CLI_PLUGIN } from './way-in.ts';

/** The Vite of a project that is run by our own command. */
export function createViteServer(options: HeadlessOptions): Promise<ViteDevServer> {
  return createServer({
    ...headlessConfig(options),
    root: options.root,
    logLevel: 'error',
    plugins: [{ name: CLI_PLUGIN }, medusa()],
  });
}
