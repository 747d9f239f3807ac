/** An error in the form in which one process sends it to another; it keeps all that a reader needs. */
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
  const hasCause = from.cause !== undefined && depth < MAX_CAUSE_DEPTH;
  const error = {
    name: text(from.name) ?? 'Error',
    message: text(from.message) ?? describe(value),
    stack: text(from.stack),
    code: text(from.code),
    plugin: text(from.plugin),
    file: text(from.file) ?? text(location.file) ?? text(from.id),
    line: count(from.line) ?? count(location.line),
    column: count(from.column) ?? count(location.column),
    frame: text(from.frame),
    hint: text(from.hint),
    cause: hasCause ? serializeError(from.cause, depth + 1) : undefined,
  };
  const known = Object.entries(error).filter(([, field]) => field !== undefined);
  return Object.fromEntries(known) as unknown as SerializedError;
}

/** The error keeps the position that the host has found. */
export function deserializeError(error: SerializedError): Error {
  const { cause, name, ...rest } = error;
  const result = Object.assign(
    new Error(error.message, cause ? { cause: deserializeError(cause) } : undefined),
    rest,
  );
  Object.defineProperty(result, 'name', { value: name, configurable: true });
  return result;
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
