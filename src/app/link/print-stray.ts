import { serializeError } from '../../shared/serialized-error.ts';

/** For an error that nobody has caught, and that the process outlives. */
export function printStray(error: unknown): void {
  const { stack, message } = serializeError(error);
  process.stderr.write(`${stack ?? message}\n`);
}
