import type { SerializedError } from './serialized-error.ts';

/** Every update ends in exactly one of these; the terminal, the JSON events and the tests read this value. */
export type UpdateResult =
  | {
      type: 'reloaded';
      files: string[];
      /** Human words for what was brought up to date, e.g. `route GET /store/brands`. */
      resources: string[];
      /** How many modules were evaluated. */
      modules: number;
      ms: number;
    }
  | {
      type: 'restarted';
      files: string[];
      reason: string;
      /** From the changed file up to the resource that forced the restart. */
      chain: string[];
      ms: number;
    }
  | { type: 'kept-previous'; files: string[]; error: SerializedError; ms: number }
  | { type: 'ignored'; files: string[]; reason: string };
