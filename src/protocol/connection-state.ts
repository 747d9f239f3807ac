/**
 * What a connection is doing in the child: one byte per slot in the ledger, a file that outlives the child
 * however it ends. From it the host knows which connections of a killed child another one can serve.
 */
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

/** Where the head of a slot's request is in the ledger: its length in four bytes, then the head itself. */
export function placeOfHead(slot: number): number {
  return HEADS_START + slot * HEAD_PLACE_BYTES;
}

/** Behind the states. The file is sparse: a place that is not used takes no room. */
const HEADS_START = 1 << 20;
const HEAD_PLACE_BYTES = 1 << 15;
/** More than Node itself takes (`--max-http-header-size`). */
export const HEAD_LIMIT_BYTES: number = HEAD_PLACE_BYTES - 4;

export type ConnectionState = (typeof CONNECTION_STATE)[keyof typeof CONNECTION_STATE];
