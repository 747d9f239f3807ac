const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * `npm run` passes on the Ctrl-C that the terminal has sent to us already: two signals this close together are
 * one key press.
 */
const SAME_PRESS_MS = 400;

/** Ends everything that was started, in reverse order: once with patience, the second time at once. */
export class Ending {
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #forcing: (() => void)[] = [];
  /** Set by the first reason to end. */
  #closed: Promise<void> | undefined;
  /** When the end was asked for first; `performance.now()`. */
  #askedAt = 0;

  constructor() {
    for (const [signal, code] of Object.entries(EXIT_CODES)) {
      process.on(signal, () => this.end(code));
    }
    // The terminal, or the program that reads our events, is gone.
    process.stdout.on('error', () => this.#endOnce(EXIT_CODES.SIGHUP));
    process.stderr.on('error', () => {});
  }

  /** What is added last is closed first. `force` is for who does not want to wait. */
  add(close: () => Promise<void>, force?: () => void): void {
    this.#closing.unshift(close);
    if (force) {
      this.#forcing.push(force);
    }
  }

  /** Ends the process; asked a second time, it does so without waiting for anything. */
  end(code: number): void {
    if (this.#closed) {
      if (performance.now() - this.#askedAt < SAME_PRESS_MS) {
        return;
      }
      for (const force of this.#forcing) {
        force();
      }
      process.exit(code);
    }
    this.#askedAt = performance.now();
    this.#endOnce(code);
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  #endOnce(code: number): void {
    if (!this.#closed) {
      void this.close().finally(() => process.exit(code));
    }
  }

  async #closeAll(): Promise<void> {
    for (let close = this.#closing.shift(); close; close = this.#closing.shift()) {
      await close().catch(() => {});
    }
  }
}
