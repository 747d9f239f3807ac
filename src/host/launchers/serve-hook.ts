import type { ServeOptions } from './serve-options.ts';

/**
 * Where the plugin, which Node has loaded, and the entry, which vite-node runs, find each other: they may
 * well have two instances of our modules.
 */
export const SERVE_HOOK: symbol = Symbol.for('medusa-vite:serve');

export type ServeHook = (options: ServeOptions) => void;
