import type { Trial } from '../protocol/messages.ts';
import { serializeError } from '../shared/serialized-error.ts';

/**
 * Evaluates the module that the running app could not evaluate, to find out whether another process can.
 * @throws just the error that the trial is about
 */
export async function tryOut(
  { module, message }: Trial,
  importFile: (file: string) => Promise<unknown>,
): Promise<void> {
  try {
    await importFile(module);
  } catch (error) {
    // Any other error may be for want of what comes later in a boot.
    if (firstLine(serializeError(error).message) === firstLine(message)) {
      throw error;
    }
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
