import type { RestartReason } from '../../protocol/reason.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';

/** The app, or the admin, could not get ready. */
export class BootError extends Error {
  override readonly name = 'BootError';
  readonly reason: SerializedError;

  constructor(reason: SerializedError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** An app that was a spare is not what a new process would be: that one has to be made after all. */
export class UnfitAppError extends Error {
  override readonly name = 'UnfitAppError';
  /** Whether it had been prepared: only then can the packages that it had loaded ahead be to blame. */
  readonly wasPrepared: boolean;

  constructor(reason: string, { wasPrepared = false }: { wasPrepared?: boolean } = {}) {
    super(reason);
    this.wasPrepared = wasPrepared;
  }
}

/** The app runs, but does nothing any more. */
export interface Hang {
  type: 'hung';
  reason: RestartReason;
}

/** What went wrong at a start, in a form that can be told. */
export function reasonOf(error: unknown): SerializedError {
  return error instanceof BootError ? error.reason : { name: 'Error', message: String(error) };
}
