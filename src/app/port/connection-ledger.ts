import { isAscii } from 'node:buffer';
import { openSync, unlinkSync, writeSync } from 'node:fs';
import {
  CONNECTION_STATE,
  type ConnectionState,
  HEAD_LIMIT_BYTES,
  placeOfHead,
} from '../../protocol/connection-state.ts';

/** The child's side of the ledger. A write takes half a microsecond and survives the process. */
export class ConnectionLedger {
  readonly #fd: number;
  readonly #byte = Buffer.alloc(1);
  /** What the file says, by slot. */
  readonly #states: ConnectionState[] = [];
  /** The same for the heads: most clients send the same one again and again. */
  readonly #heads: string[] = [];

  constructor(file: string) {
    this.#fd = openSync(file, 'r+');
    try {
      // Both processes have it open: the name is needed no more, and must not stay behind a killed host.
      unlinkSync(file);
    } catch {
      // The host removes it after this process has ended.
    }
  }

  /** @returns whether the host can read the very same bytes there */
  writeHead(slot: number, head: string): boolean {
    if (this.#heads[slot] === head) {
      return true;
    }
    const bytes = Buffer.from(head, 'latin1');
    // What is not plain ASCII may have been other bytes.
    if (bytes.length > HEAD_LIMIT_BYTES || !isAscii(bytes)) {
      return false;
    }
    const place = Buffer.alloc(4 + bytes.length);
    place.writeUInt32LE(bytes.length);
    bytes.copy(place, 4);
    this.#heads[slot] = '';
    try {
      if (writeSync(this.#fd, place, 0, place.length, placeOfHead(slot)) < place.length) {
        return false;
      }
    } catch {
      // No room.
      return false;
    }
    this.#heads[slot] = head;
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
