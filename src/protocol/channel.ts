import type { SerializedError } from '../shared/serialized-error.ts';
import type { FetchedModule } from './messages.ts';

/**
 * The module channel: a pipe beside Node's IPC, on which the app may wait synchronously. One request is made at
 * a time, and the next message is its reply: neither has an id.
 */
export const CHANNEL_FD = 4;
/** Stays open for as long as the host lives. A byte on it says how fast a spare may work: one of `PACE`. */
export const LIFELINE_FD = 5;
export const PACE = { full: 0, slow: 1 } as const;

export type ChannelRequest =
  | { type: 'fetch'; id: string; importer: string | undefined }
  | { type: 'resolve'; specifier: string; importer: string };

export type ChannelReply =
  /** The module that was asked for, and those it imports statically which the app does not have yet. */
  | { type: 'modules'; modules: Record<string, FetchedModule> }
  | { type: 'resolved'; id: string | null }
  | { type: 'error'; error: SerializedError };

/** A message is this many bytes, its length as a little-endian integer, and that many bytes of JSON. */
export const CHANNEL_HEADER_BYTES = 4;

export function encodeChannelMessage(message: ChannelRequest | ChannelReply): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(CHANNEL_HEADER_BYTES);
  header.writeUInt32LE(json.length);
  return Buffer.concat([header, json]);
}
