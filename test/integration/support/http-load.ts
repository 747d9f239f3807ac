import { Agent, request } from 'node:http';

export interface Answer {
  status: number;
  body: string;
  headers: NodeJS.Dict<string | string[]>;
}

export interface RequestSettings {
  port: number;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Without one, every request has a connection of its own. */
  agent?: Agent;
}

export function send(settings: RequestSettings): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: 'localhost',
        port: settings.port,
        path: settings.path ?? '/',
        method: settings.method ?? 'GET',
        headers: settings.headers,
        agent: settings.agent ?? false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(settings.body);
  });
}

export function keepAliveAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** Clients that send at a steady rate, each one request after the other, until they are stopped. */
export class Load {
  readonly failures: string[] = [];
  readonly bodies: Map<string, number> = new Map();
  answered: number = 0;
  #isStopped = false;
  readonly #clients: Promise<void>[];

  constructor(options: { port: number; clients: number; perSecond: number; keepAlive: boolean }) {
    const pauseMs = (1000 * options.clients) / options.perSecond;
    this.#clients = Array.from({ length: options.clients }, () => this.#run(options, pauseMs));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#clients);
  }

  async #run(options: { port: number; keepAlive: boolean }, pauseMs: number): Promise<void> {
    const agent = options.keepAlive ? keepAliveAgent() : undefined;
    while (!this.#isStopped) {
      try {
        const { status, body } = await send({ port: options.port, ...(agent && { agent }) });
        if (status === 200) {
          this.answered++;
          this.bodies.set(body, (this.bodies.get(body) ?? 0) + 1);
        } else {
          this.failures.push(`${status} ${body}`);
        }
      } catch (error) {
        this.failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs * Math.random() * 2));
    }
    agent?.destroy();
  }
}
