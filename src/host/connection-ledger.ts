import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONNECTION_STATE } from '../protocol/connection-state.ts';

/** The host's side of the file in which one child notes what its connections are doing. */
export class ConnectionLedger {
  readonly file: string;
  readonly #fd: number;

  constructor() {
    this.file = join(tmpdir(), `medusa-vite-connections-${randomUUID()}`);
    this.#fd = openSync(this.file, 'wx+', 0o600);
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
