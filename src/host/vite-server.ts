import { createServer, type ViteDevServer } from 'vite';
import { medusa } from '../../plugins/medusa.ts';
import { isInside, toPosix } from '../protocol/paths.ts';
import { UNWATCHED } from './project.ts';

export interface ViteServerOptions {
  root: string;
  /** Set to poll for changes at this interval. */
  pollMs: number | undefined;
}

/** The Vite of a project that is run by our own command. It opens no port. */
export async function createViteServer({
  root,
  pollMs,
}: ViteServerOptions): Promise<ViteDevServer> {
  return createServer({
    root,
    appType: 'custom',
    // Vite must not restart when `.env` changes: that is the app's.
    envDir: false,
    clearScreen: false,
    logLevel: 'error',
    plugins: [medusa()],
    optimizeDeps: { noDiscovery: true, include: [] },
    server: {
      middlewareMode: true,
      hmr: false,
      ws: false,
      watch: {
        ignored: (path: string) => isUnwatched(root, toPosix(path)),
        ...(pollMs !== undefined && { usePolling: true, interval: pollMs }),
      },
    },
  });
}

/** Asked of the path below the project: the project itself may well live in a folder called `dist`. */
function isUnwatched(root: string, path: string): boolean {
  return isInside(root, path) && UNWATCHED.test(path.slice(root.length + 1));
}
