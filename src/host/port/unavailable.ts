import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { relativeToRoot, toPosix } from '../../shared/paths.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { unavailablePage } from './unavailable-page.ts';

/** Why no app answers. */
export type Unavailable =
  | { type: 'waiting'; reason: string }
  | { type: 'failed'; error: SerializedError };

const STATUS = 503;
const RETRY_AFTER_SECONDS = 1;

type Format = 'html' | 'json' | 'text';
const CONTENT_TYPES: Record<Format, string> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json; charset=utf-8',
  text: 'text/plain; charset=utf-8',
};

export interface UnavailableAnswer {
  request: IncomingMessage;
  response: ServerResponse;
  unavailable: Unavailable;
  root: string;
}

export function answerUnavailable(answer: UnavailableAnswer): void {
  const { request, response, unavailable, root } = answer;
  const format = preferredFormat(request.headers.accept);
  const body = describe({ unavailable, root, format });
  response.writeHead(STATUS, {
    'Content-Type': CONTENT_TYPES[format],
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'Retry-After': RETRY_AFTER_SECONDS,
    // The next request may find the app, which only a new connection can reach.
    Connection: 'close',
  });
  response.end(body);
}

/** Makes a whole response, for a connection on which no request can be read any more. */
export function rawUnavailable(message: string): string {
  const body = `${message}\n`;
  return [
    `HTTP/1.1 ${STATUS} ${STATUS_CODES[STATUS]}`,
    `Content-Type: ${CONTENT_TYPES.text}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `Retry-After: ${RETRY_AFTER_SECONDS}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

/** Browsers name HTML when they navigate; a request that names neither HTML nor JSON gets text. */
export function preferredFormat(accept: string | undefined): Format {
  const types = (accept ?? '').toLowerCase().split(',');
  for (const type of types) {
    const name = type.split(';')[0]?.trim() ?? '';
    if (name === 'text/html' || name === 'application/xhtml+xml') {
      return 'html';
    }
    if (name === 'application/json' || name.endsWith('+json')) {
      return 'json';
    }
  }
  return 'text';
}

export function describe(options: {
  unavailable: Unavailable;
  root: string;
  format: Format;
}): string {
  const { unavailable, root, format } = options;
  const title = titleOf(unavailable);
  const error = unavailable.type === 'failed' ? plainError(unavailable.error, root) : undefined;
  switch (format) {
    case 'json':
      return `${JSON.stringify({ type: 'unavailable', message: title, error })}\n`;
    case 'text':
      return `${[title, ...detailsOf(error)].join('\n\n')}\n`;
    case 'html':
      return unavailablePage({ title, details: detailsOf(error), status: STATUS });
  }
}

interface PlainError {
  name: string;
  message: string;
  code?: string | undefined;
  /** Relative to the project. */
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  frame?: string | undefined;
  hint?: string | undefined;
}

function plainError(error: SerializedError, root: string): PlainError {
  const plain = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : stripVTControlCharacters(text);
  return {
    name: error.name,
    message: plain(error.message) ?? '',
    code: error.code,
    file: error.file === undefined ? undefined : relativeToRoot(root, toPosix(error.file)),
    line: error.line,
    column: error.column,
    frame: plain(error.frame),
    hint: plain(error.hint),
  };
}

function titleOf(unavailable: Unavailable): string {
  switch (unavailable.type) {
    case 'waiting':
      return `The app does not answer: ${unavailable.reason}.`;
    case 'failed':
      return 'The app is not running: it failed to start.';
  }
}

function detailsOf(error: PlainError | undefined): string[] {
  if (error === undefined) {
    return [];
  }
  const position = [error.file, error.line, error.column].filter((part) => part !== undefined);
  const parts = [`${error.name}: ${error.message}`, position.join(':'), error.frame, error.hint];
  return parts.filter((part) => part !== undefined && part !== '') as string[];
}
