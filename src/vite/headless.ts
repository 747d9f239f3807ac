import type { UserConfig } from 'vite';
import { isNeverSource } from '../project/layout.ts';
import { isInside, toPosix } from '../shared/paths.ts';

export interface HeadlessOptions {
  /** The project: absolute, posix. */
  root: string;
  /** Set to poll for changes at this interval. */
  pollMs: number | undefined;
}

/** A Vite for the backend alone: it opens no port, updates no browser, and does not restart by itself. */
export function headlessConfig({ root, pollMs }: HeadlessOptions): UserConfig {
  return {
    appType: 'custom',
    // Neither may Vite restart when `.env` changes, nor vite-node read it: the app does.
    envDir: false,
    clearScreen: false,
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
  };
}

/** Looks at the path below the project only: the project itself may well live in a folder called `dist`. */
export function isUnwatched(root: string, path: string): boolean {
  return isInside(root, path) && isNeverSource(path.slice(root.length + 1));
}
