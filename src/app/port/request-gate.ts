import type { Server } from 'node:http';

/** A hot reload takes milliseconds; a change that takes longer than this is a restart or a hang. */
const HOLD_LIMIT_MS = 2_000;

/**
 * Holds requests from the moment that a change is seen until the app has it, so that a request right after a save
 * gets the new code. Requests that are under way go on.
 */
export class RequestGate {
  #waiting: (() => void)[] = [];
  #limit: NodeJS.Timeout | undefined;

  attach(server: Server): void {
    const emit = server.emit.bind(server);
    server.emit = (event: string, ...args: unknown[]): boolean => {
      if (this.#limit && (event === 'request' || event === 'checkContinue')) {
        this.#waiting.push(() => emit(event, ...args));
        return true;
      }
      return emit(event, ...args);
    };
  }

  hold(): void {
    this.#limit ??= setTimeout(() => this.release(), HOLD_LIMIT_MS);
  }

  release(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
    for (const go of this.#waiting.splice(0)) {
      try {
        go();
      } catch (error) {
        // Without the gate nobody would catch it either.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
