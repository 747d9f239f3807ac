import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONNECTION_STATE } from '../protocol/connection-state.ts';

/** The host's side of the file in which one child notes what its connections are doing. */
export class ConnectionLedger {
  readonly file: string;
  readonly #fd: number;

  private constructor(file: string) {
    this.file = file;
    this.#fd = openSync(file, 'wx+', 0o600);
  }

  /** Returns undefined if nothing can be written to the temporary folder. */
  static create(): ConnectionLedger | undefined {
    try {
      return new ConnectionLedger(join(tmpdir(), `medusa-vite-connections-${randomUUID()}`));
    } catch {
      return undefined;
    }
  }

  /** What the child last said about a slot; a slot that it never wrote to is idle. */
  read(slot: number): number {
    const state = Buffer.alloc(1);
    readSync(this.#fd, state, 0, 1, slot);
    return state[0] ?? CONNECTION_STATE.idle;
  }

  dispose(): void {
    closeSync(this.#fd);
    try {
      unlinkSync(this.file);
    } catch {
      // The child removed it as soon as it had opened it, so that nothing stays behind a killed host.
    }
  }
}
