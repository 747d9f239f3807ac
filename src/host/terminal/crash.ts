import { describeExit } from '../../shared/process/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import type { AppExit } from '../processes/app-process.ts';

const TAIL_LINES = 8;
/** What V8 prints below `FATAL ERROR: … JavaScript heap out of memory`: it says nothing to anyone here. */
const NATIVE_STACK = /^\s*\d+: 0x|^-+ (?:Native|JS) stack|^\s*$/i;

/** An app that ended by itself, with the last that it said. */
export function describeCrash(exit: AppExit, willRestart: boolean): SerializedError {
  const next = willRestart ? 'It is started again.' : 'The next save starts it again.';
  const lines = exit.stderr.trim().split('\n');
  const tail = lines
    .filter((line) => !NATIVE_STACK.test(line))
    .slice(-TAIL_LINES)
    .join('\n');
  return {
    name: 'Error',
    message: `The app exited ${describeExit(exit)}. ${next}${tail ? `\n${tail}` : ''}`,
  };
}
