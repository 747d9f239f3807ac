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

/** An app that was a spare may differ from a new process, so a new process has to take its place. */
export class UnfitAppError extends Error {
  override readonly name = 'UnfitAppError';
  /** Whether the app had been prepared: only then can the packages that it loaded ahead be to blame. */
  readonly wasPrepared: boolean;

  constructor(reason: string, { wasPrepared = false }: { wasPrepared?: boolean } = {}) {
    super(reason);
    this.wasPrepared = wasPrepared;
  }
}

/** The app runs, but answers no more. */
export interface Hang {
  type: 'hung';
  reason: RestartReason;
}

/** Why a start failed. */
export function reasonOf(error: unknown): SerializedError {
  return error instanceof BootError ? error.reason : { name: 'Error', message: String(error) };
}
