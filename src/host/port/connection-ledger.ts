import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CONNECTION_STATE,
  HEAD_LIMIT_BYTES,
  placeOfHead,
} from '../../protocol/connection-state.ts';

/** On a disk, each of the child's small writes would go through the file system's journal. */
export const LEDGER_FOLDERS: readonly string[] =
  process.platform === 'linux' ? ['/dev/shm', tmpdir()] : [tmpdir()];

/** The host's side of the file in which one child notes what its connections are doing. */
export class ConnectionLedger {
  readonly file: string;
  readonly #fd: number;

  private constructor(file: string) {
    this.file = file;
    this.#fd = openSync(file, 'wx+', 0o600);
    try {
      // Room for the states of 4,096 connections; that for a head can be done without.
      writeSync(this.#fd, Buffer.alloc(4096), 0);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Returns undefined if there is nowhere to write it. */
  static create(folders: readonly string[] = LEDGER_FOLDERS): ConnectionLedger | undefined {
    for (const folder of folders) {
      try {
        return new ConnectionLedger(join(folder, `medusa-vite-connections-${randomUUID()}`));
      } catch {
        // The next one.
      }
    }
    return undefined;
  }

  /** What the child last said about a slot; a slot that it never wrote to is idle. */
  read(slot: number): number {
    const state = Buffer.alloc(1);
    readSync(this.#fd, state, 0, 1, slot);
    return state[0] ?? CONNECTION_STATE.idle;
  }

  /** For a connection that comes after another one in the slot. */
  clear(slot: number): void {
    writeSync(this.#fd, Buffer.of(CONNECTION_STATE.idle), 0, 1, slot);
  }

  /** Whether a request was read of which nothing was answered, in any of the first so many slots. */
  hasPending(slots: number): boolean {
    const states = Buffer.alloc(slots);
    readSync(this.#fd, states, 0, slots, 0);
    return states.some(
      (state) => state === CONNECTION_STATE.pending || state === CONNECTION_STATE.repeatable,
    );
  }

  /** Of a request that may be sent again. */
  readHead(slot: number): string | undefined {
    const length = Buffer.alloc(4);
    readSync(this.#fd, length, 0, length.length, placeOfHead(slot));
    const head = Buffer.alloc(Math.min(length.readUInt32LE(), HEAD_LIMIT_BYTES));
    const read = readSync(this.#fd, head, 0, head.length, placeOfHead(slot) + length.length);
    return read === head.length && read > 0 ? head.toString('latin1') : undefined;
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
