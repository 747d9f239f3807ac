import type { Exports } from '../../shared/exports.ts';

/** What a route or middleware file gives to Medusa's loaders, taken apart. */
export interface ApiFile {
  /** Everything that Medusa registers; as long as it stays the same, only functions are swapped. */
  shape: string;
  /** The functions, by a key that is stable within one shape. */
  functions: Map<string, (...args: never[]) => unknown>;
  /** The same exports with stable functions in place of these. */
  replace(stable: (key: string) => unknown): Exports;
  resources: string[];
}
