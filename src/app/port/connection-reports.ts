import type { ConnectionsReport } from '../../protocol/messages.ts';

/** The client has its response and `FIN` already; only the host's copy of the socket waits for the report. */
const DELAY_MS = 10;

/** Tells the host which connections this app does not serve any more, many in one message. */
export class ConnectionReports {
  /** The slots that the next message will name; empty when none is scheduled. */
  #closed: number[] = [];
  #returned: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #urgent: NodeJS.Immediate | undefined;

  /** @param isUrgent whether the client waits for what the host will do */
  closed(slot: number, isUrgent: boolean): void {
    this.#closed.push(slot);
    if (isUrgent) {
      this.#hurry();
    } else {
      this.#timer ??= setTimeout(() => this.flush(), DELAY_MS);
    }
  }

  /** The next app can have the connection, and its client may be waiting. */
  returned(slot: number): void {
    this.#returned.push(slot);
    this.#hurry();
  }

  flush(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#urgent);
    this.#timer = undefined;
    this.#urgent = undefined;
    if (this.#closed.length + this.#returned.length === 0) {
      return;
    }
    const message: ConnectionsReport = {
      type: 'connections',
      closed: this.#closed,
      returned: this.#returned,
    };
    this.#closed = [];
    this.#returned = [];
    if (process.connected) {
      process.send?.(message, undefined, undefined, () => {
        // The host has gone: so does this process.
      });
    }
  }

  #hurry(): void {
    this.#urgent ??= setImmediate(() => this.flush());
  }
}
