import {
  type Agent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';

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
export type ForwardedRequest = IncomingMessage & { originalUrl?: string };

/** Sends a request to a port of this machine, and what comes back to the client. */
export function forwardTo(
  { port, agent }: { port: number; agent: Agent },
  { request, response }: { request: ForwardedRequest; response: ServerResponse },
): Promise<'answered' | 'unanswered'> {
  return new Promise((resolve) => {
    const isSent = hasBody(request);
    const upstream = httpRequest({
      host: '127.0.0.1',
      port,
      agent,
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

/** Whether there is a body to send on. The admin has no use for one that the project's middleware has read. */
export function hasBody({ headers, readableEnded }: IncomingMessage): boolean {
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
