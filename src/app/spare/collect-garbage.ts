import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Throws away at once what would be thrown away sooner or later. Node shows its collector only to who has
 * asked for it at the start, and the app must not find `global.gc`, which packages take for a sign.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collect();
}
