import { isAscii } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a connection is doing in the app. */
export const CONNECTION_STATE = {
  /** Between two requests, or not received yet: whatever the client sends next is still in the kernel. */
  idle: 0,
  /** A request was read, nothing of its response was written. */
  pending: 1,
  /** A response is being written, or the connection was upgraded to another protocol. */
  responding: 2,
  closed: 3,
  /** As `pending`, by a request that may be sent again; the ledger has its head. */
  repeatable: 4,
} as const;

export type ConnectionState = (typeof CONNECTION_STATE)[keyof typeof CONNECTION_STATE];

/** Whether a request was read of which nothing was answered. */
export function isPending(state: number): boolean {
  return state === CONNECTION_STATE.pending || state === CONNECTION_STATE.repeatable;
}

/** On a disk, each of the app's small writes would go through the file system's journal. */
export const LEDGER_FOLDERS: readonly string[] =
  process.platform === 'linux' ? ['/dev/shm', tmpdir()] : [tmpdir()];

/** Room for the states of 4,096 connections from the start. */
const FIRST_BYTES = 4096;
/** Behind the states. The file is sparse: a place that is not used takes no room. */
const HEADS_START = 1 << 20;
const HEAD_PLACE_BYTES = 1 << 15;
const LENGTH_BYTES = 4;
/** More than Node itself takes (`--max-http-header-size`). */
const HEAD_LIMIT_BYTES = HEAD_PLACE_BYTES - LENGTH_BYTES;

/**
 * The file in which an app notes what its connections are doing, for the host to read when the app has died. It
 * has one byte per slot for the state, and one place per slot for the head of a request: its length, then the head
 * itself. A write takes half a microsecond and survives the process.
 */
export class ConnectionLedger {
  readonly file: string;
  readonly #fd: number;
  readonly #byte = Buffer.alloc(1);
  /** What this process has written, by slot: most clients send the same head again and again. */
  readonly #heads: string[] = [];

  private constructor(file: string, fd: number) {
    this.file = file;
    this.#fd = fd;
  }

  /** For the host. Returns undefined if there is nowhere to write it. */
  static create(folders: readonly string[] = LEDGER_FOLDERS): ConnectionLedger | undefined {
    for (const folder of folders) {
      try {
        const file = join(folder, `medusa-vite-connections-${randomUUID()}`);
        const ledger = new ConnectionLedger(file, openSync(file, 'wx+', 0o600));
        try {
          writeSync(ledger.#fd, Buffer.alloc(FIRST_BYTES), 0);
          return ledger;
        } catch {
          ledger.dispose();
        }
      } catch {
        // The next folder.
      }
    }
    return undefined;
  }

  /** For the app. */
  static open(file: string): ConnectionLedger {
    const ledger = new ConnectionLedger(file, openSync(file, 'r+'));
    // Both processes have it open: the name is needed no more, and must not stay behind a killed host.
    ledger.#unlink();
    return ledger;
  }

  writeState(slot: number, state: ConnectionState): void {
    this.#byte[0] = state;
    writeSync(this.#fd, this.#byte, 0, 1, slot);
  }

  /** A slot that nobody has written to is idle. */
  readState(slot: number): number {
    this.#byte[0] = CONNECTION_STATE.idle;
    readSync(this.#fd, this.#byte, 0, 1, slot);
    return this.#byte.readUInt8();
  }

  /** Whether any of the first so many slots has a pending request. */
  hasPending(slots: number): boolean {
    const states = Buffer.alloc(slots);
    readSync(this.#fd, states, 0, slots, 0);
    return states.some(isPending);
  }

  /** @returns whether the very same bytes can be read there */
  writeHead(slot: number, head: string): boolean {
    if (this.#heads[slot] === head) {
      return true;
    }
    const bytes = Buffer.from(head, 'latin1');
    // What is not plain ASCII may have been other bytes.
    if (bytes.length > HEAD_LIMIT_BYTES || !isAscii(bytes)) {
      return false;
    }
    const place = Buffer.alloc(LENGTH_BYTES + bytes.length);
    place.writeUInt32LE(bytes.length);
    bytes.copy(place, LENGTH_BYTES);
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

  readHead(slot: number): string | undefined {
    const length = Buffer.alloc(LENGTH_BYTES);
    readSync(this.#fd, length, 0, LENGTH_BYTES, placeOfHead(slot));
    const head = Buffer.alloc(Math.min(length.readUInt32LE(), HEAD_LIMIT_BYTES));
    const read = readSync(this.#fd, head, 0, head.length, placeOfHead(slot) + LENGTH_BYTES);
    return read === head.length && read > 0 ? head.toString('latin1') : undefined;
  }

  dispose(): void {
    closeSync(this.#fd);
    this.#unlink();
  }

  #unlink(): void {
    try {
      unlinkSync(this.file);
    } catch {
      // The other process has removed it, or will when this one has ended.
    }
  }
}

function placeOfHead(slot: number): number {
  return HEADS_START + slot * HEAD_PLACE_BYTES;
}
