import type { ServeOptions } from '../src/host/launchers/serve-options.ts';
import type { Rule } from '../src/rules/rule.ts';
import { medusaConfig } from './config.ts';
import { medusaPrivateFiles } from './private-files.ts';
import { medusaRules } from './rules.ts';
import { medusaServe } from './serve.ts';
import { vite7 } from './vite-7.ts';
import { medusaWholeConfig } from './whole-config.ts';

export interface MedusaOptions extends ServeOptions {
  /** Asked before the built-in rules and those of other plugins; the first that matches decides. */
  rules?: Rule[];
  /** To replace, reorder or leave out some of the rules that medusa-vite comes with. @default builtInRules */
  builtInRules?: readonly Rule[];
  /** Whether `vite` and `vite-node` start the backend; `medusa-vite dev` does in any case. @default true */
  serve?: boolean;
}

/** A Vite plugin, of whichever supported Vite the project has. */
export interface MedusaPlugin {
  name: string;
}

/**
 * The Vite plugin of medusa-vite.
 *
 * @example
 * // vite.config.ts
 * export default defineConfig({
 *   plugins: [medusa({ rules: [{ name: 'graphql', match: 'src/graphql/**', action: 'restart' }] })],
 * });
 */
export function medusa(options: MedusaOptions = {}): MedusaPlugin[] {
  const { rules, builtInRules, serve = true, ...serveOptions } = options;
  return [
    medusaConfig(),
    medusaPrivateFiles(),
    vite7(),
    medusaWholeConfig(),
    medusaRules({ rules, builtInRules }),
    medusaServe(serve && serveOptions),
  ];
}
