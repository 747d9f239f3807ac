import { Agent, type ServerResponse } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import type { AdminMiddleware } from '../../medusa/boot/admin-bundler.ts';
import type { AdminRequest, AdminState } from '../../protocol/admin.ts';
import type { AppToHost } from '../../protocol/messages.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { type ForwardedRequest, forwardTo, hasBody } from './http-forward.ts';

/** The admin process takes one or two seconds to start; a busy machine may take this long. */
const START_WAIT_MS = 60_000;
/** For the host to notice that an admin process which does not answer has ended. */
const NEWS_WAIT_MS = 5_000;
const MAX_ATTEMPTS = 3;

/** Passes requests for the dashboard on to the admin process, which outlives the app. */
export class AdminForward {
  readonly #send: (message: AppToHost) => void;
  readonly #agent = new Agent({ keepAlive: true });
  #state: AdminState = { type: 'starting' };
  /** Requests that wait for the next change of the state. */
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

  /** Called when the app is loaded: by then it has opened the admin, or has none. */
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

  async #handle(request: ForwardedRequest, response: ServerResponse): Promise<void> {
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
      const outcome = await forwardTo(
        { port: state.port, agent: this.#agent },
        { request, response },
      );
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

  /** Resolves to a state other than `tried` that is not `starting`, or after a limit to the present one. */
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
