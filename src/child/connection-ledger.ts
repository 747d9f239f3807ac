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

  /**
   * Keeps what was read of a connection if that is one request that may be sent again, and nothing besides.
   * @returns whether it is
   */
  writeIfRepeatable(slot: number, read: Buffer): boolean {
    if (this.#heads[slot]?.equals(read)) {
      return true;
    }
    if (!isRepeatable(read)) {
      return false;
    }
    const place = Buffer.allocUnsafeSlow(4 + read.length);
    place.writeUInt32LE(read.length);
    read.copy(place, 4);
    this.#heads[slot] = place.subarray(4);
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

const END_OF_HEAD = '\r\n\r\n';

/** One whole request that by HTTP has no effect, without a body. */
function isRepeatable(read: Buffer): boolean {
  if (read.length > HEAD_LIMIT_BYTES) {
    return false;
  }
  const text = read.toString('latin1');
  return (
    /^(?:GET|HEAD) /.test(text) &&
    text.indexOf(END_OF_HEAD) === text.length - END_OF_HEAD.length &&
    !/\n(?:content-length|transfer-encoding|expect)[ \t]*:/i.test(text)
  );
}
