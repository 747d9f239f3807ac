import { MedusaViteError } from '../../shared/failure.ts';

/** Where the app is to be found, as far as an option says it. */
export interface AskedAddress {
  /** 0 picks a free port. */
  port: number | undefined;
  host: string | undefined;
}

export interface Address {
  port: number;
  /** Undefined for every address. */
  host: string | undefined;
}

const DEFAULT_PORT = 9000;

/** What no option says is for `PORT` and `HOST` to say; an empty value counts as none, as for Medusa. @throws MedusaViteError */
export function resolveAddress(
  { port, host }: AskedAddress,
  environment: NodeJS.Dict<string>,
): Address {
  return {
    port: port ?? parsePort(environment.PORT),
    host: host ?? (environment.HOST || undefined),
  };
}

/** Warnings for who has changed `.env`: a restart keeps the port, which is the host's. */
export function describeMove(
  asked: AskedAddress,
  { before, after }: { before: NodeJS.Dict<string>; after: NodeJS.Dict<string> },
): string[] {
  return Object.entries({ PORT: asked.port, HOST: asked.host })
    .filter(
      ([key, option]) =>
        option === undefined && (before[key] || undefined) !== (after[key] || undefined),
    )
    .map(([key]) => {
      const change = after[key]
        ? `\`${key}\` in \`.env\` has changed to \`${after[key]}\``
        : `\`${key}\` is gone from \`.env\``;
      return `${change}, which a restart does not follow: stop the dev server and start it again.`;
    });
}

function parsePort(value: string | undefined): number {
  if (!value) {
    return DEFAULT_PORT;
  }
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new MedusaViteError(`\`${value}\` is not a port (\`PORT\`).`, {
      code: 'USAGE',
      hint: 'Give a number from 1 to 65535, or 0 for any free port.',
    });
  }
  return Number(value);
}
