import { PACE } from '../../protocol/channel.ts';

/** While the host is busy, a spare works for this long at a time; most files are loaded in less. */
const SLICE_MS = 5;
/** Then it rests for this long: a fifth of one processor gets it done some day, even if requests never end. */
const REST_MS = 20;

/**
 * How fast a spare may load its packages. The host tells a thread beside the main one (`host-watch.ts`), because
 * the main thread does not read messages while a package loads; the two share this state.
 */
export class Pace {
  /** Four bytes, shared between the threads. */
  readonly buffer: SharedArrayBuffer;
  readonly #state: Int32Array;
  #restedAt = 0;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer;
    this.#state = new Int32Array(buffer);
  }

  set(pace: number): void {
    Atomics.store(this.#state, 0, pace);
    Atomics.notify(this.#state, 0);
  }

  /** Blocks this thread for a moment if the processor is wanted elsewhere. */
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
