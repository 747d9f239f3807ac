const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * `npm run` passes on the Ctrl-C that the terminal has sent to this process already: two signals this close
 * together are one key press.
 */
const SAME_PRESS_MS = 400;

/** Ends the process in order, the part that started last first; at once when asked a second time. */
export class Ending {
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #forcing: (() => void)[] = [];
  /** Set when the end begins. */
  #closed: Promise<void> | undefined;
  /** When the end was first asked for; `performance.now()`. */
  #askedAt = 0;

  constructor() {
    for (const [signal, code] of Object.entries(EXIT_CODES)) {
      process.on(signal, () => this.end(code));
    }
    // The terminal, or the program that reads our events, is gone.
    process.stdout.on('error', () => this.#endOnce(EXIT_CODES.SIGHUP));
    process.stderr.on('error', () => {});
  }

  /** The latest addition closes first. `force` kills it for a person who does not want to wait. */
  add(close: () => Promise<void>, force?: () => void): void {
    this.#closing.unshift(close);
    if (force) {
      this.#forcing.push(force);
    }
  }

  /** A second call ends the process without waiting for anything. */
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
