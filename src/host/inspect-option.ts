import type { InspectOptions } from '../protocol/messages.ts';

const INSPECT = /^--inspect(-brk)?(?:=(?:(.+):)?(\d+))?$/;
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 9229;

/**
 * Takes the inspector out of Node's arguments. While a restart prepares the next app beside the running
 * one, both would ask for the same port; so the app opens it by itself when it is alone.
 */
export function parseInspect(
  option: string | undefined,
  nodeArgs: string[],
): { inspect: InspectOptions | undefined; nodeArgs: string[] } {
  const [match] = [option, ...nodeArgs].flatMap((argument) => {
    const found = argument === undefined ? null : INSPECT.exec(argument);
    return found ? [found] : [];
  });
  return {
    inspect: match && {
      host: match[2] ?? DEFAULT_HOST,
      port: Number(match[3] ?? DEFAULT_PORT),
      wait: match[1] !== undefined,
    },
    nodeArgs: nodeArgs.filter((argument) => !INSPECT.test(argument)),
  };
}
