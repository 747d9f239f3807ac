/** What is left of an error after it crossed the process boundary: nothing that a reader needs is lost. */
export interface SerializedError {
  name: string;
  message: string;
  stack?: string;
  code?: string;
  /** Name of the Vite plugin that failed. */
  plugin?: string;
  /** Absolute path of the file at fault. */
  file?: string;
  /** 1-based. */
  line?: number;
  /** 1-based. */
  column?: number;
  /** Source lines around the position, with a marker. */
  frame?: string;
  hint?: string;
  cause?: SerializedError;
}

/** Errors may be their own cause; five levels are more than anyone reads. */
const MAX_CAUSE_DEPTH = 5;

export function serializeError(value: unknown, depth = 0): SerializedError {
  if (!(value instanceof Object)) {
    return { name: 'Error', message: String(value) };
  }
  const from = value as Record<string, unknown>;
  const location = from.loc instanceof Object ? (from.loc as Record<string, unknown>) : {};
  const error: SerializedError = {
    name: text(from.name) ?? 'Error',
    message: text(from.message) ?? describe(value),
  };
  assign(error, 'stack', text(from.stack));
  assign(error, 'code', text(from.code));
  assign(error, 'plugin', text(from.plugin));
  assign(error, 'file', text(from.file) ?? text(location.file) ?? text(from.id));
  assign(error, 'line', count(from.line) ?? count(location.line));
  assign(error, 'column', count(from.column) ?? count(location.column));
  assign(error, 'frame', text(from.frame));
  assign(error, 'hint', text(from.hint));
  if (from.cause !== undefined && depth < MAX_CAUSE_DEPTH) {
    error.cause = serializeError(from.cause, depth + 1);
  }
  return error;
}

/** @throws never; the error keeps the position that the host found. */
export function deserializeError(error: SerializedError): Error {
  const { cause, name, ...rest } = error;
  const result = Object.assign(
    new Error(error.message, cause ? { cause: deserializeError(cause) } : undefined),
    rest,
  );
  Object.defineProperty(result, 'name', { value: name, configurable: true });
  return result;
}

function assign<K extends keyof SerializedError>(
  error: SerializedError,
  key: K,
  value: SerializedError[K] | undefined,
): void {
  if (value !== undefined) {
    error[key] = value;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function describe(value: object): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
