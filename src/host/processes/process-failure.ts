import type { RestartReason } from '../../protocol/reason.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';

/** A process could not get ready. */
export class BootError extends Error {
  override readonly name = 'BootError';
  readonly reason: SerializedError;

  constructor(reason: SerializedError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** A spare is not what a new process would be: that one has to be made after all. */
export class UnfitSpareError extends Error {
  override readonly name = 'UnfitSpareError';
  /** Whether the spare had been prepared: only then can the packages be to blame that it had loaded. */
  readonly wasPrepared: boolean;

  constructor(reason: string, { wasPrepared = false }: { wasPrepared?: boolean } = {}) {
    super(reason);
    this.wasPrepared = wasPrepared;
  }
}

/** The app's process is there, but does nothing any more. */
export interface Hang {
  type: 'hung';
  reason: RestartReason;
}
