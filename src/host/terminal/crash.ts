import type { ForkedExit } from '../../shared/process/forked-process.ts';
import { describeExit } from '../../shared/process/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';

const TAIL_LINES = 8;
/** V8 prints this below `FATAL ERROR: … JavaScript heap out of memory`: it helps no reader here. */
const NATIVE_STACK = /^\s*\d+: 0x|^-+ (?:Native|JS) stack|^\s*$/i;

/** Describes an app that ended by itself, with the last lines that it wrote. */
export function describeCrash(exit: ForkedExit, willRestart: boolean): SerializedError {
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
