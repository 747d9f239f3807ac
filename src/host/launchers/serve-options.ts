import { MedusaViteError } from '../../shared/failure.ts';
import type { HostSettings } from '../host.ts';

/**
 * The place where the plugin, loaded by Node, puts its hook for the entry, run by vite-node: each may have its own
 * instance of our modules.
 */
export const SERVE_HOOK: symbol = Symbol.for('medusa-vite:serve');

export type ServeHook = (options: ServeOptions) => void;

/** How `vite` and `vite-node` start the backend; `medusa-vite dev` has command line options for the same. */
export interface ServeOptions {
  /** Port of the app; 0 takes a free one. @default PORT, also from `.env`, or 9000 */
  port?: number;
  /** Address to listen on. @default HOST, also from `.env`, or every address */
  host?: string;
  /** Write `.medusa/types` once the app is ready. @default true */
  types?: boolean;
  /** Backend HMR on or off, whatever the feature flag `backend_hmr` says. */
  hmr?: boolean;
  /** Arguments for the Node process of the app, e.g. `['--inspect']`. @default [] */
  nodeArgs?: string[];
  /** Keep a process ready for the next restart, which costs memory. @default true */
  spare?: boolean;
  /** Print events as JSON on stdout, one per line; the app's own output goes to stderr. @default false */
  json?: boolean;
}

/** Headline of an error in new options. */
export const OPTIONS_FAILED = 'the backend goes on with the options that it had';

/** @throws MedusaViteError if the port is not valid */
export function resolveSettings(options: ServeOptions): HostSettings {
  const { port, host, types = true, hmr, nodeArgs = [], spare = true } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new MedusaViteError(`\`${port}\` is not a port (\`port\`).`, {
      code: 'USAGE',
      hint: 'Give a number from 1 to 65535, or 0 for any free port.',
    });
  }
  return { port, host, types, hmr, inspect: undefined, nodeArgs, spare };
}
