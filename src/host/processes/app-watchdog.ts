import type { Hang } from './process-failure.ts';

/** For top-level awaits of modules and the loaders of Medusa modules: only an endless wait takes longer. */
const RELOAD_LIMIT_MS = 20_000;
/** An event loop that stands still this long is in an endless loop: evaluating 1,000 modules takes 1 s. */
const HANG_LIMIT_MS = 2_500;
/** The limit while Medusa writes types, which it does without a pause. */
const BUSY_HANG_LIMIT_MS = 10_000;
const BOOT_LIMITS = {
  /** A booting app stands still for seconds at a time: it loads thousands of files. */
  hangMs: 20_000,
  /** Counted from the last module that the app asked for: then come Medusa's own loaders, and their waits. */
  progressMs: 120_000,
};
/** The limits once a change that may mend the app waits. */
const IMPATIENT_BOOT_LIMITS: typeof BOOT_LIMITS = { hangMs: 6_000, progressMs: 30_000 };
/** Counted from the moment the app hears of the stop; then comes SIGKILL; `tsx watch` allows the same. */
const STOP_LIMIT_MS = 5_000;
const PING_INTERVAL_MS = 250;
/** The host's own work never delays a timer by this much. */
const MAX_LATE_MS = 1_000;

export interface AppWatchdogOptions {
  /** Asks the app for a sign. */
  ping(): void;
  /** An app under a debugger may stand still for any time. */
  isDebugged: boolean;
}

/**
 * Judges by an app's signs of life whether it still works. A watch calls `giveUp` as soon as its limit has
 * passed, and at each look from then on, until the returned function ends the watch.
 */
export class AppWatchdog {
  readonly #ping: () => void;
  #isDebugged: boolean;
  /** When the app last showed that its event loop turns; `performance.now()`, as all times here. */
  #answeredAt = performance.now();
  /** When the app last came closer to being ready. */
  #progressedAt = performance.now();
  /** When the app was last asked for a sign. */
  #askedAt = performance.now();
  #bootLimits = BOOT_LIMITS;
  #isBusy = false;

  constructor({ ping, isDebugged }: AppWatchdogOptions) {
    this.#ping = ping;
    this.#isDebugged = isDebugged;
  }

  /** The app's event loop turns. */
  noteSign(): void {
    this.#answeredAt = performance.now();
  }

  /** The app comes closer to being ready. */
  noteProgress(): void {
    this.noteSign();
    this.#progressedAt = this.#answeredAt;
  }

  /** Medusa's own code is about to block the app's event loop, or is done. */
  noteBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
  }

  noteDebugger(): void {
    this.#isDebugged = true;
  }

  /** A change waits for the app to be up: from now on a boot that stands still ends sooner. */
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
    // The time counts from when the app hears of the stop: at its next sign. At a breakpoint it may give none.
    let heardAt = this.#isDebugged ? askedAt : Number.POSITIVE_INFINITY;
    return this.#watch(() => {
      // An app that reached a breakpoint meanwhile may have heard of the stop, and answers no more.
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

  /** Asks the app for a sign, and judges by the time of its last one. */
  #isHanging(limitMs: number): boolean {
    const now = performance.now();
    const late = now - this.#askedAt - PING_INTERVAL_MS;
    if (late > MAX_LATE_MS) {
      // The host itself stood still, as on a laptop that slept, and has yet to read the app's signs.
      this.#answeredAt = now;
      this.#progressedAt += late;
    }
    this.#askedAt = now;
    this.#ping();
    const limit = this.#isBusy ? Math.max(limitMs, BUSY_HANG_LIMIT_MS) : limitMs;
    return !this.#isDebugged && now - this.#answeredAt > limit;
  }
}
