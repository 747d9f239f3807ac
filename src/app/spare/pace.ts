import { PACE } from '../../protocol/channel.ts';

/** While the host is busy, a spare works for this long at a time; most files load in less. */
const SLICE_MS = 5;
/** Then it rests for this long. With a fifth of one processor it ends some day, even if requests never do. */
const REST_MS = 20;

/**
 * How fast a spare may load its packages. The host says it to a second thread (`host-watch.ts`), because the main
 * thread reads no messages while a package loads. The two threads share this state.
 */
export class Pace {
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
