import inspector from 'node:inspector';
import type { AppToHost } from '../../protocol/messages.ts';

/** Tells the host, once, that an inspector is open: under a debugger the app may stand still for any time. */
export class InspectorReport {
  readonly #send: (message: AppToHost) => void;
  #isReported = false;

  constructor(send: (message: AppToHost) => void) {
    this.#send = send;
  }

  /** To be called often: anybody may open an inspector, and Node has no event for it. */
  update(): void {
    if (!this.#isReported && inspector.url() !== undefined) {
      this.#isReported = true;
      this.#send({ type: 'debugged' });
    }
  }
}
