/**
 * A mistake that the user can mend. The message says what happened and which value it was about;
 * `hint` says what to do. Printed without a stack trace.
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

/** Whether it is an error of Node (`ENOENT`) or of another library with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** For errors that pass through somebody who prints stacks: then this is all that there is to read. */
export function withoutStack(error: MedusaViteError): MedusaViteError {
  error.stack = `medusa-vite: ${error.hint ? `${error.message} ${error.hint}` : error.message}`;
  return error;
}
