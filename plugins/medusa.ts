import type { Plugin } from 'vite';
import type { Rule } from '../src/rules/rule.ts';
import { medusaConfig } from './config.ts';
import { medusaRules } from './rules.ts';

export interface MedusaOptions {
  /** Asked before the built-in rules and those of other plugins; the first that matches decides. */
  rules?: Rule[];
  /** To replace, reorder or leave out some of the rules that medusa-vite comes with. @default builtInRules */
  builtInRules?: readonly Rule[];
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
export function medusa(options: MedusaOptions = {}): Plugin[] {
  return [medusaConfig(), medusaRules(options)];
}
