import type { Hang } from './process-failure.ts';

/** For what a module awaits at its top level, or a module's loader: only an endless wait takes longer. */
const RELOAD_LIMIT_MS = 20_000;
/** An event loop that stands still this long is in an endless loop: evaluating 1,000 modules takes 1 s. */
const HANG_LIMIT_MS = 2_500;
/** While Medusa writes types, which it does in one go. */
const BUSY_HANG_LIMIT_MS = 10_000;
const BOOT_LIMITS = {
  /** While it boots, an app stands still for seconds at a time: it loads thousands of files. */
  hangMs: 20_000,
  /** From the last module that it asked for: what comes then are Medusa's own loaders, and what those wait for. */
  progressMs: 120_000,
};
/** The same, once a new save waits that may be the way out. */
const IMPATIENT_BOOT_LIMITS: typeof BOOT_LIMITS = { hangMs: 6_000, progressMs: 30_000 };
/** From when the app hears that it is to stop until SIGKILL, as `tsx watch` and users expect. */
const STOP_LIMIT_MS = 5_000;
const PING_INTERVAL_MS = 250;
/** Work of its own never keeps this process from a timer for so long. */
const MAX_LATE_MS = 1_000;

export interface AppWatchdogOptions {
  /** Asks the app for a sign. */
  ping(): void;
  /** Under a debugger an app may stand still for as long as it likes. */
  isDebugged: boolean;
}

/**
 * Judges whether an app still does what it was asked for, by the signs that it gives. Each watch calls back as
 * soon as its limit has passed, and at each look from then on; it returns how to end the watch.
 */
export class AppWatchdog {
  readonly #ping: () => void;
  #isDebugged: boolean;
  /** When the app last showed that its event loop turns; `performance.now()`, as all times here. */
  #answeredAt = performance.now();
  /** When the app last got further on its way to be ready. */
  #progressedAt = performance.now();
  /** When the app was last asked for a sign. */
  #askedAt = performance.now();
  #bootLimits = BOOT_LIMITS;
  #isBusy = false;

  constructor({ ping, isDebugged }: AppWatchdogOptions) {
    this.#ping = ping;
    this.#isDebugged = isDebugged;
  }

  /** The event loop of the app turns. */
  noteSign(): void {
    this.#answeredAt = performance.now();
  }

  /** The app gets further on its way to be ready. */
  noteProgress(): void {
    this.noteSign();
    this.#progressedAt = this.#answeredAt;
  }

  /** Medusa's own code is about to keep the app from answering, or has done so. */
  noteBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
  }

  noteDebugger(): void {
    this.#isDebugged = true;
  }

  /** A new save waits for the app to be up: from now on a boot that stands still is noticed sooner. */
  hurry(): void {
    this.#bootLimits = IMPATIENT_BOOT_LIMITS;
  }

  watchBoot(giveUp: (message: string) => void): () => void {
    this.noteProgress();
    return this.#watch(() => {
      const { hangMs, progressMs } = this.#bootLimits;
      if (this.#isHanging(hangMs)) {
        giveUp('The app does not answer, as in an endless loop.');
      } else if (!this.#isDebugged && performance.now() - this.#progressedAt > progressMs) {
        giveUp(
          `The app has not become ready for ${progressMs / 1000} s: something that it waits for at its start may never come.`,
        );
      }
    });
  }

  watchReload(giveUp: (hang: Hang) => void): () => void {
    const startedAt = performance.now();
    this.#answeredAt = startedAt;
    return this.#watch(() => {
      if (this.#isHanging(HANG_LIMIT_MS)) {
        giveUp({ type: 'hung', reason: { type: 'app-hung' } });
      } else if (!this.#isDebugged && performance.now() - startedAt > RELOAD_LIMIT_MS) {
        giveUp({ type: 'hung', reason: { type: 'reload-too-slow', limitMs: RELOAD_LIMIT_MS } });
      }
    });
  }

  watchStop(giveUp: () => void): () => void {
    this.noteSign();
    const askedAt = this.#answeredAt;
    // The app's time begins when it hears of the stop, as its first sign shows; at a breakpoint it may give none.
    let heardAt = this.#isDebugged ? askedAt : Number.POSITIVE_INFINITY;
    return this.#watch(() => {
      // An app that came to a breakpoint meanwhile may have heard of it, and say no more.
      if (this.#answeredAt > askedAt || this.#isDebugged) {
        heardAt = Math.min(heardAt, this.#answeredAt);
      }
      if (this.#isHanging(HANG_LIMIT_MS) || performance.now() - heardAt > STOP_LIMIT_MS) {
        giveUp();
      }
    });
  }

  #watch(look: () => void): () => void {
    this.#askedAt = performance.now();
    const timer = setInterval(look, PING_INTERVAL_MS);
    return () => clearInterval(timer);
  }

  /** Asks the app for a sign, and judges by when it last gave one. */
  #isHanging(limitMs: number): boolean {
    const now = performance.now();
    const late = now - this.#askedAt - PING_INTERVAL_MS;
    if (late > MAX_LATE_MS) {
      // It was this process that stood still, as on a laptop that slept: what the app has said is unread.
      this.#answeredAt = now;
      this.#progressedAt += late;
    }
    this.#askedAt = now;
    this.#ping();
    const limit = this.#isBusy ? Math.max(limitMs, BUSY_HANG_LIMIT_MS) : limitMs;
    return !this.#isDebugged && now - this.#answeredAt > limit;
  }
}
