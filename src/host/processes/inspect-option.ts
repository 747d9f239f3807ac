import type { InspectOptions } from '../../protocol/messages.ts';

const INSPECT = /^--inspect(-brk)?(?:=(.*))?$/;
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 9229;

/**
 * Takes the inspector out of Node's arguments: the app opens it by itself once it is the only app. Otherwise both
 * apps would want the same port while a restart prepares the next app beside the running one.
 */
export function parseInspect(
  option: string | undefined,
  nodeArgs: string[],
): { inspect: InspectOptions | undefined; nodeArgs: string[] } {
  const [inspect] = [option, ...nodeArgs].flatMap((argument) => parseArgument(argument) ?? []);
  // Node itself complains of an argument that cannot be parsed.
  return { inspect, nodeArgs: nodeArgs.filter((argument) => !parseArgument(argument)) };
}

/**
 * Parses `9229`, `127.0.0.1:9229`, `localhost:9229`, `[::1]:9229`, or a host alone, as Node does.
 * @returns undefined if it is none of these; the host is without brackets
 */
export function parseInspectAddress(
  address: string,
): Pick<InspectOptions, 'host' | 'port'> | undefined {
  const [, ipv6, name, hostPort, port = hostPort] =
    /^(?:(?:\[([\da-fA-F:.]+)\]|(?!\d+$)([\w.-]+))(?::(\d+))?|(\d+))$/.exec(address) ?? [];
  const host = ipv6 ?? name;
  return host === undefined && port === undefined
    ? undefined
    : { host: host ?? DEFAULT_HOST, port: Number(port ?? DEFAULT_PORT) };
}

function parseArgument(argument: string | undefined): InspectOptions | undefined {
  const match = INSPECT.exec(argument ?? '');
  const address = match && parseInspectAddress(match[2] ?? String(DEFAULT_PORT));
  return address ? { ...address, wait: match[1] !== undefined } : undefined;
}
