/**
 * What a connection is doing in the child: one byte per slot in the ledger, a file that outlives the child
 * however it ends. From it the host knows which connections of a killed child another one can serve.
 */
export const CONNECTION_STATE = {
  /** Between two requests, or not received yet: whatever the client sends next is still in the kernel. */
  idle: 0,
  /** A request was read, nothing of its response was written. */
  pending: 1,
  /** A part of a response was written, or the connection was upgraded to another protocol. */
  responding: 2,
  closed: 3,
} as const;

export type ConnectionState = (typeof CONNECTION_STATE)[keyof typeof CONNECTION_STATE];
