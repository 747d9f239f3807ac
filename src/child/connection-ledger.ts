import { openSync, unlinkSync, writeSync } from 'node:fs';
import {
  CONNECTION_STATE,
  type ConnectionState,
  HEAD_LIMIT_BYTES,
  placeOfHead,
} from '../protocol/connection-state.ts';

/** The child's side of the ledger. A write takes half a microsecond and survives the process. */
export class ConnectionLedger {
  readonly #fd: number;
  readonly #byte = Buffer.alloc(1);
  /** What the file says, by slot. */
  readonly #states: ConnectionState[] = [];
  /** The same for the heads: most clients send the same one again and again. */
  readonly #heads: Buffer[] = [];

  constructor(file: string) {
    this.#fd = openSync(file, 'r+');
    try {
      // Both processes have it open: the name is needed no more, and must not stay behind a killed host.
      unlinkSync(file);
    } catch {
      // The host removes it after this process has ended.
    }
  }

  /** @returns whether there is room for it */
  writeHead(slot: number, head: Buffer): boolean {
    if (head.length > HEAD_LIMIT_BYTES) {
      return false;
    }
    if (this.#heads[slot]?.equals(head)) {
      return true;
    }
    this.#heads[slot] = head;
    const place = Buffer.allocUnsafe(4 + head.length);
    place.writeUInt32LE(head.length);
    head.copy(place, 4);
    writeSync(this.#fd, place, 0, place.length, placeOfHead(slot));
    return true;
  }

  write(slot: number, state: ConnectionState): void {
    if ((this.#states[slot] ?? CONNECTION_STATE.idle) === state) {
      return;
    }
    this.#states[slot] = state;
    this.#byte[0] = state;
    writeSync(this.#fd, this.#byte, 0, 1, slot);
  }
}
