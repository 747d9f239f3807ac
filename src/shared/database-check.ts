import { connect } from 'node:net';
import { MedusaViteError } from './failure.ts';

const DEFAULT_PORT = 5432;
/** A database on the same machine or network answers in milliseconds. */
const CONNECT_LIMIT_MS = 5_000;

/** Medusa would retry for a minute, then print a stack trace. @throws MedusaViteError if there is no database */
export async function assertDatabaseReachable(databaseUrl: string): Promise<void> {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (!url?.hostname || url.searchParams.has('host')) {
    // The path of a socket, or a form that only the driver knows.
    return;
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || DEFAULT_PORT);
  const problem = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_LIMIT_MS });
    const settle = (result: string | undefined) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => settle(undefined));
    socket.once('timeout', () => settle(`no answer within ${CONNECT_LIMIT_MS / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  });
  if (problem) {
    throw new MedusaViteError(`No database at \`${host}:${port}\` (${problem}).`, {
      code: 'NO_DATABASE',
      hint: 'Start it, or correct DATABASE_URL; without DATABASE_URL, an embedded one is started.',
    });
  }
}
