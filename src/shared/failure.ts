/**
 * A mistake that the user can mend. The message names the problem and the value; `hint` says what to do.
 * It is printed without a stack trace.
 */
export class MedusaViteError extends Error {
  override readonly name = 'MedusaViteError';
  readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, options: { code?: string; hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? 'MEDUSA_VITE';
    this.hint = options.hint;
  }
}

/** Whether this is an error with the code, such as Node's `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** For errors that a program of others prints with their stack: it then prints the message and the hint alone. */
export function withoutStack(error: MedusaViteError): MedusaViteError {
  error.stack = `medusa-vite: ${error.hint ? `${error.message} ${error.hint}` : error.message}`;
  return error;
}
