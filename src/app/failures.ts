import type { AppToHost } from '../protocol/messages.ts';
import { serializeError } from '../shared/serialized-error.ts';
import { printStray } from './link/host-tie.ts';
import { type Spare, UnfitSpareError } from './spare/spare.ts';

export interface FailuresOptions {
  spare: Pick<Spare, 'isActivated'> | undefined;
  send(message: AppToHost): Promise<void>;
  exit(code: number): void;
}

/** Prints an error if the app goes on, and sends it to the host if the process ends with it. */
export class Failures {
  readonly #options: FailuresOptions;

  constructor(options: FailuresOptions) {
    this.#options = options;
  }

  /** For an error that nobody has caught. */
  readonly report = (error: unknown): void => {
    if (this.#isWaitingSpare) {
      // Not printed: if it happens in the next app too, that one prints it.
      void this.end(error);
    } else {
      printStray(error);
    }
  };

  /** For an error with which the app cannot come up. */
  async end(error: unknown): Promise<void> {
    const { send, exit } = this.#options;
    const serialized = serializeError(error);
    await send(
      error instanceof UnfitSpareError || this.#isWaitingSpare
        ? { type: 'unfit', reason: serialized.message }
        : { type: 'boot-failed', error: serialized },
    );
    exit(1);
  }

  get #isWaitingSpare(): boolean {
    return this.#options.spare?.isActivated === false;
  }
}
