import { PACE } from '../../protocol/channel.ts';

/** Works this long at a time while the host is busy, and then rests; one file is mostly loaded in less. */
const SLICE_MS = 5;
/** A fifth of one processor is left to a spare, so that it is done some day even if requests never end. */
const REST_MS = 20;

/**
 * How fast a spare may load its packages. The host says it to a thread beside this one, because this one
 * does not come back to its event loop for as long as a package loads.
 */
export class Pace {
  readonly #state: Int32Array;
  #restedAt = 0;

  /** @param buffer four bytes, which both threads have */
  constructor(buffer: SharedArrayBuffer) {
    this.#state = new Int32Array(buffer);
  }

  set(pace: number): void {
    Atomics.store(this.#state, 0, pace);
    Atomics.notify(this.#state, 0);
  }

  /** Stands still for a moment if the processor is wanted elsewhere. */
  giveWay(): void {
    if (
      Atomics.load(this.#state, 0) === PACE.slow &&
      performance.now() - this.#restedAt > SLICE_MS
    ) {
      Atomics.wait(this.#state, 0, PACE.slow, REST_MS);
      this.#restedAt = performance.now();
    }
  }
}
