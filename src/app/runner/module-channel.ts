import { readSync, writeSync } from 'node:fs';
import {
  CHANNEL_HEADER_BYTES,
  type ChannelReply,
  type ChannelRequest,
  encodeChannelMessage,
} from '../../protocol/channel.ts';

/**
 * Asks the host for modules and waits for the answer without giving way to the event loop. That is what
 * lets a module be evaluated in one go, as CommonJS does, and `require()` of TypeScript work.
 */
export class ModuleChannel {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws Error if the host is gone. */
  request(request: ChannelRequest): ChannelReply {
    this.#write(encodeChannelMessage(request));
    const length = this.#read(CHANNEL_HEADER_BYTES).readUInt32LE(0);
    return JSON.parse(this.#read(length).toString('utf8')) as ChannelReply;
  }

  #write(data: Buffer): void {
    let offset = 0;
    while (offset < data.length) {
      offset += retry(() => writeSync(this.#fd, data, offset));
    }
  }

  #read(length: number): Buffer {
    const data = Buffer.allocUnsafe(length);
    let offset = 0;
    while (offset < length) {
      const count = retry(() => readSync(this.#fd, data, offset, length - offset, null));
      if (count === 0) {
        throw new Error('The host closed the module channel.');
      }
      offset += count;
    }
    return data;
  }
}

/** The pipe blocks, but a debugger or a signal may still interrupt the call. */
function retry(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EAGAIN' && code !== 'EINTR') {
        throw error;
      }
    }
  }
}
