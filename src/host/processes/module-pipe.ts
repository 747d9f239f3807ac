import type { Duplex } from 'node:stream';
import {
  CHANNEL_HEADER_BYTES,
  type ChannelReply,
  type ChannelRequest,
  encodeChannelMessage,
} from '../../protocol/channel.ts';

/** The host's end of the module channel: answers requests until the pipe ends. */
export function serveModulePipe(
  pipe: Duplex,
  answer: (request: ChannelRequest) => Promise<ChannelReply>,
): void {
  let received: Buffer = Buffer.alloc(0);
  pipe.on('data', (data: Buffer) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    while (received.length >= CHANNEL_HEADER_BYTES) {
      const end = CHANNEL_HEADER_BYTES + received.readUInt32LE(0);
      if (received.length < end) {
        return;
      }
      const json = received.toString('utf8', CHANNEL_HEADER_BYTES, end);
      received = received.subarray(end);
      void answer(JSON.parse(json) as ChannelRequest).then((reply) =>
        pipe.write(encodeChannelMessage(reply)),
      );
    }
  });
  // The process may be killed while it waits; its exit is reported elsewhere.
  pipe.on('error', () => {});
}
