import type { AppToHost } from '../protocol/messages.ts';
import { serializeError } from '../shared/serialized-error.ts';
import { printStray } from './link/print-stray.ts';
import { type Spare, UnfitSpareError } from './spare/spare.ts';

export interface FailuresOptions {
  spare: Pick<Spare, 'isActivated'> | undefined;
  send(message: AppToHost): Promise<void>;
  exit(code: number): void;
}

/** Tells what went wrong: in the terminal where the app goes on, and to the host where the process ends with it. */
export class Failures {
  readonly #options: FailuresOptions;

  constructor(options: FailuresOptions) {
    this.#options = options;
  }

  /** An error that nobody has caught, and that the app outlives. */
  readonly report = (error: unknown): void => {
    if (this.#isWaitingSpare) {
      // Nobody is to hear of it: the app will say it, if it happens there.
      void this.end(error);
      return;
    }
    printStray(error);
  };

  /** The app cannot come up. */
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
