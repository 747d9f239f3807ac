import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { AdminMiddleware } from '../../medusa/boot/admin-bundler.ts';
import type { AdminRequest, AdminState } from '../../protocol/admin.ts';
import type { AppToHost } from '../../protocol/messages.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';

/** The admin process is there in one or two seconds; this is for a machine that does a lot besides. */
const START_WAIT_MS = 60_000;
/** Until the host knows that a process which does not answer has ended. */
const NEWS_WAIT_MS = 5_000;
const MAX_ATTEMPTS = 3;

/** Of one connection, and so not of what is on it. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Express keeps the URL that the client has sent. */
type AdminRequestMessage = IncomingMessage & { originalUrl?: string };

/** Passes requests for the dashboard on to the admin process, which outlives this one. */
export class AdminForward {
  readonly #send: (message: AppToHost) => void;
  readonly #agent = new Agent({ keepAlive: true });
  #state: AdminState = { type: 'starting' };
  /** Called at the next change of the state. */
  readonly #waiting = new Set<() => void>();
  #isOpen = false;

  constructor(send: (message: AppToHost) => void) {
    this.#send = send;
  }

  open(request: AdminRequest): AdminMiddleware {
    this.#isOpen = true;
    this.#send({ type: 'admin-wanted', request });
    return (incoming, response) => void this.#handle(incoming, response);
  }

  /** To be called when the app is loaded. */
  settle(): void {
    if (!this.#isOpen) {
      this.#send({ type: 'admin-wanted', request: undefined });
    }
  }

  update(state: AdminState): void {
    this.#state = state;
    for (const settle of [...this.#waiting]) {
      settle();
    }
  }

  async #handle(request: AdminRequestMessage, response: ServerResponse): Promise<void> {
    if (this.#state.type === 'failed') {
      this.#state = { type: 'starting' };
      this.#send({ type: 'admin-retry' });
    }
    const isOnlyOnce = hasBody(request);
    let tried: AdminState | undefined;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const state = await this.#settled(tried);
      if (state.type !== 'ready') {
        refuse(response, state.type === 'failed' ? describe(state.error) : STILL_STARTING);
        return;
      }
      const outcome = await this.#forward(state.port, request, response);
      if (outcome === 'answered') {
        return;
      }
      if (isOnlyOnce) {
        break;
      }
      tried = state;
    }
    refuse(response, 'The admin does not answer.\n');
  }

  /** The state once it is one that lasts, and another one than `tried`; or the present one after a limit. */
  async #settled(tried: AdminState | undefined): Promise<AdminState> {
    if (this.#state === tried) {
      await this.#news(NEWS_WAIT_MS);
    }
    const deadline = performance.now() + START_WAIT_MS;
    for (let rest = START_WAIT_MS; rest > 0 && this.#state.type === 'starting'; ) {
      await this.#news(rest);
      rest = deadline - performance.now();
    }
    return this.#state;
  }

  /** Resolves when the host says something, or after a limit. */
  async #news(limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        clearTimeout(limit);
        this.#waiting.delete(settle);
        resolve();
      };
      const limit = setTimeout(settle, limitMs);
      this.#waiting.add(settle);
    });
  }

  #forward(
    port: number,
    request: AdminRequestMessage,
    response: ServerResponse,
  ): Promise<'answered' | 'unanswered'> {
    return new Promise((resolve) => {
      const isSent = hasBody(request);
      const upstream = httpRequest({
        host: '127.0.0.1',
        port,
        agent: this.#agent,
        method: request.method,
        path: request.originalUrl ?? request.url,
        headers: requestHeaders(request, isSent),
        setHost: false,
      });
      const abort = (): void => {
        upstream.destroy();
      };
      response.once('close', abort);
      upstream.on('error', () => {
        response.off('close', abort);
        resolve(response.destroyed ? 'answered' : 'unanswered');
      });
      upstream.once('response', (answer) => {
        response.statusCode = answer.statusCode ?? 502;
        response.statusMessage = answer.statusMessage ?? '';
        for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
          if (!HOP_BY_HOP.has(name)) {
            response.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
          }
        }
        // An answer that breaks off must not look whole: `pipeline` destroys the other end.
        pipeline(answer, response, () => resolve('answered'));
      });
      if (isSent) {
        request.pipe(upstream);
      } else {
        upstream.end();
      }
    });
  }
}

/** False also for one that a middleware of the project has read already: the admin has no use for it. */
function hasBody({ headers, readableEnded }: IncomingMessage): boolean {
  const isDeclared =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return isDeclared && !readableEnded;
}

function requestHeaders(
  { headers }: IncomingMessage,
  isSent: boolean,
): Record<string, string | string[] | undefined> {
  const kept = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name));
  const result = Object.fromEntries(kept);
  if (!isSent) {
    delete result['content-length'];
  } else if (headers['transfer-encoding'] !== undefined) {
    result['transfer-encoding'] = 'chunked';
  }
  return result;
}

const STILL_STARTING = 'The admin is still starting.\n';

function describe(error: SerializedError): string {
  const place = [error.file, error.line, error.column].filter((part) => part !== undefined);
  const details = [`${error.name}: ${error.message}`, place.join(':'), error.frame, error.hint];
  const text = details.filter((part) => part !== undefined && part !== '').join('\n\n');
  const next = 'Ask again, or save a file, to start it once more.';
  return `The admin is not running.\n\n${stripVTControlCharacters(text)}\n\n${next}\n`;
}

function refuse(response: ServerResponse, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'Retry-After': 1,
  });
  response.end(text);
}
