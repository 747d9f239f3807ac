import type { SerializedError } from '../shared/serialized-error.ts';
import type { ReloadTiming } from './messages.ts';
import type { IgnoreReason, RestartReason } from './reason.ts';

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
      timing: UpdateTiming;
    }
  | {
      type: 'restarted';
      files: string[];
      reason: RestartReason;
      /** From the changed file up to the resource that forced the restart. */
      chain: string[];
      ms: number;
    }
  | {
      type: 'kept-previous';
      files: string[];
      error: SerializedError;
      /** Set if no app runs: what could not be brought up was to take the place of one that has stopped. */
      isDown?: true;
      ms: number;
    }
  | {
      type: 'ignored';
      files: string[];
      reason: IgnoreReason;
      /** Set if it takes back what the app could not be brought to: it is up to date again. */
      isUndone?: true;
    };

/** Where the milliseconds of a hot reload went, from the first file event on. */
export interface UpdateTiming extends ReloadTiming {
  /** Until no more files changed, and the update before this one was done. */
  watch: number;
  plan: number;
  transform: number;
  /** The way to the app and back, and whatever else is left. */
  ipc: number;
}
