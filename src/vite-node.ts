import { SERVE_HOOK, type ServeHook, type ServeOptions } from './host/launchers/serve-options.ts';
import { MedusaViteError, withoutStack } from './shared/failure.ts';

export type { ServeOptions } from './host/launchers/serve-options.ts';

/**
 * Starts the backend on the Vite server of `vite-node --watch`; to be called by the entry. When the entry changes,
 * it runs again, and its new options replace these. Options given here go before those of `medusa()` in
 * `vite.config.ts`.
 *
 * @throws MedusaViteError if this is not vite-node with `--watch`, or its Vite lacks `medusa()`
 * @example
 * // dev.ts, for `npx vite-node --watch dev.ts`
 * import { serve } from 'medusa-vite/vite-node';
 *
 * serve({ port: 9001 });
 */
export function serve(options: ServeOptions = {}): void {
  const hook: unknown = Reflect.get(globalThis, SERVE_HOOK);
  if (typeof hook !== 'function') {
    throw withoutStack(
      new MedusaViteError('The backend was asked for, but nothing here can serve it.', {
        code: 'NO_VITE_NODE',
        hint: 'Add `medusa()` to the plugins in vite.config.ts and run `npx vite-node --watch dev.ts`.',
      }),
    );
  }
  (hook as ServeHook)(options);
}
