import type { AppToHost } from '../protocol/messages.ts';
import { serializeError } from '../shared/serialized-error.ts';

/** Medusa writes types in one go, for a second or more; whoever has waited for the app comes first. */
const DELAY_MS = 2_000;

export interface TypesWriterOptions {
  send(message: AppToHost): Promise<void>;
  write(): Promise<void>;
}

/** Has Medusa write `.medusa/types` a while after the app is ready. */
export class TypesWriter {
  readonly #options: TypesWriterOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TypesWriterOptions) {
    this.#options = options;
  }

  schedule(): void {
    this.#timer = setTimeout(() => void this.#write(), DELAY_MS).unref();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    const { send, write } = this.#options;
    // It blocks the event loop, on a slow machine for seconds; the host must not take that for an endless loop.
    await send({ type: 'busy', isBusy: true });
    try {
      await write();
    } catch (error) {
      const { message } = serializeError(error);
      process.stderr.write(`medusa-vite: types were not written: ${message}\n`);
    }
    await send({ type: 'busy', isBusy: false });
  }
}
