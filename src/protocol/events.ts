import type { SerializedError } from '../shared/serialized-error.ts';

/** One line each on stdout under `--json`. Paths are relative to the project, with forward slashes. */
export type DevEvent =
  | { event: 'ready'; port: number; url: string; pid: number; hmr: boolean; ms: number }
  | {
      event: 'update';
      id: number;
      result: 'reloaded';
      files: string[];
      resources: string[];
      modules: number;
      ms: number;
    }
  | {
      event: 'update';
      id: number;
      result: 'restarted';
      files: string[];
      reason: string;
      ms: number;
    }
  | {
      event: 'update';
      id: number;
      result: 'kept-previous';
      files: string[];
      error: EventError;
      /** Set if no app runs until the next good save. */
      isDown?: true;
      ms: number;
    }
  | {
      event: 'update';
      id: number;
      result: 'ignored';
      files: string[];
      reason: string;
      /** Set if it takes back what a `kept-previous` before it was about. */
      isUndone?: true;
    }
  /** The app could not boot, or died; the host stays and waits for the next save. */
  | { event: 'error'; error: EventError }
  | { event: 'exit'; code: number | null; signal: string | null };

export type UpdateEvent = Extract<DevEvent, { event: 'update' }>;

export type EventError = Pick<
  SerializedError,
  'message' | 'file' | 'line' | 'column' | 'frame' | 'hint'
>;
