type Exports = Record<string, unknown>;

export interface DeferredEvaluationOptions {
  evaluate(file: string): Exports;
  onError(error: unknown): void;
}

/** How long one turn of evaluating may take, in milliseconds: requests come through between turns. */
const SLICE_MS = 8;

/**
 * Modules that a reload leaves for later, because evaluating them only declares things. A request that needs
 * one evaluates it; the others follow soon after the reload, a few at a time.
 */
export class DeferredEvaluation {
  readonly #options: DeferredEvaluationOptions;
  readonly #pending = new Map<string, (exports: Exports) => void>();
  #isReloading = false;
  /** Called when the reload that is under way has ended. */
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;

  constructor(options: DeferredEvaluationOptions) {
    this.#options = options;
  }

  has(file: string): boolean {
    return this.#pending.has(file);
  }

  /** @param onEvaluated Called with the exports, once. */
  add(file: string, onEvaluated: (exports: Exports) => void): void {
    this.#pending.set(file, onEvaluated);
  }

  /** A reload of these files begins: those that are still pending are evaluated first. */
  begin(files: Iterable<string>): void {
    for (const file of files) {
      if (this.#pending.has(file)) {
        this.#evaluate(file);
      }
    }
    this.#isReloading = true;
  }

  /** The reload has ended, whether it was committed or rolled back. */
  end(): void {
    this.#isReloading = false;
    for (const go of this.#waiting.splice(0)) {
      go();
    }
    this.#schedule();
  }

  /** Evaluates a file that is needed now, once a reload that is under way has ended. */
  async evaluate(file: string): Promise<Exports> {
    while (this.#isReloading) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#evaluate(file);
  }

  #evaluate(file: string): Exports {
    const exports = this.#options.evaluate(file);
    const onEvaluated = this.#pending.get(file);
    this.#pending.delete(file);
    onEvaluated?.(exports);
    return exports;
  }

  #schedule(): void {
    if (!this.#isScheduled && this.#pending.size > 0) {
      this.#isScheduled = true;
      setImmediate(() => this.#evaluateSome());
    }
  }

  #evaluateSome(): void {
    this.#isScheduled = false;
    if (this.#isReloading) {
      // `end` schedules the rest.
      return;
    }
    const until = performance.now() + SLICE_MS;
    for (const file of this.#pending.keys()) {
      try {
        this.#evaluate(file);
      } catch (error) {
        this.#pending.delete(file);
        this.#options.onError(error);
      }
      if (performance.now() > until) {
        break;
      }
    }
    this.#schedule();
  }
}
