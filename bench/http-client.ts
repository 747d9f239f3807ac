import http from 'node:http';

export interface BenchAnswer {
  /** 0 if there was no answer: refused, reset, or too late. */
  status: number;
  text: string;
}

/** Longer than any restart may hold a request. */
const REQUEST_LIMIT_MS = 60_000;

/** One connection that stays open, as a browser's would. */
export class HttpClient {
  readonly port: number;
  readonly #agent: http.Agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.port = port;
  }

  get(path: string): Promise<BenchAnswer> {
    return new Promise((resolve) => {
      const request = http.get(
        { host: 'localhost', port: this.port, path, agent: this.#agent, timeout: REQUEST_LIMIT_MS },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          // Some checks for new code look at a header.
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              text: `${text}\n${response.headers['x-shop'] ?? ''}`,
            }),
          );
          response.on('error', () => resolve({ status: 0, text: '' }));
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve({ status: 0, text: '' }));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
