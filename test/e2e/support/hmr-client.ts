import { randomBytes } from 'node:crypto';
import http from 'node:http';
import type { Socket } from 'node:net';
import { until } from './until.ts';

export interface HmrMessage {
  type: string;
  event?: string;
  data?: unknown;
  updates?: { type: string; path: string }[];
}

/** Receives the messages that a page with Vite's client receives. Node 20 has no WebSocket of its own. */
export class HmrClient {
  readonly messages: HmrMessage[] = [];
  readonly #socket: Socket;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#read(head);
    socket.on('data', (data: Buffer) => this.#read(data));
    socket.on('error', () => {});
  }

  static async connect(url: string): Promise<HmrClient> {
    const request = http.get(url, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        'sec-websocket-protocol': 'vite-hmr',
      },
    });
    return new Promise((resolve, reject) => {
      request.once('error', reject);
      request.once('response', ({ statusCode }) => reject(new Error(`status ${statusCode}`)));
      request.once('upgrade', (_, socket: Socket, head: Buffer) => {
        resolve(new HmrClient(socket, head));
      });
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Waits for the first accepted message after a mark, which is a number of messages. */
  async message(accepts: (message: HmrMessage) => boolean, mark = 0): Promise<HmrMessage> {
    const found = await until(
      () => this.messages.slice(mark).find(accepts) ?? this.messages.slice(mark),
      (value) => !Array.isArray(value),
    );
    return found as HmrMessage;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Reads unmasked text: Vite's server sends nothing else. */
  #read(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    for (;;) {
      const received = this.#received;
      const short = (received[1] ?? 0) & 0x7f;
      const start = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (received.length < start) {
        return;
      }
      const length =
        short === 127
          ? Number(received.readBigUInt64BE(2))
          : short === 126
            ? received.readUInt16BE(2)
            : short;
      if (received.length < start + length) {
        return;
      }
      const text = received.toString('utf8', start, start + length);
      this.#received = received.subarray(start + length);
      if (((received[0] ?? 0) & 0x0f) === 1) {
        this.messages.push(JSON.parse(text) as HmrMessage);
      }
    }
  }
}
