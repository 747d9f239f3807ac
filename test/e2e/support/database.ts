import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { timed } from './setup-times.ts';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Makes a database for one test file: migrated and seeded. */
export async function createDatabase(
  templateUrl: string = inject('templateDatabaseUrl'),
): Promise<TestDatabase> {
  const template = new URL(templateUrl);
  const name = `shop_${randomBytes(6).toString('hex')}`;
  const sql = `CREATE DATABASE ${name} TEMPLATE "${template.pathname.slice(1)}"`;
  await timed('database', () => runStatement(templateUrl, sql));
  const url = new URL(template);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => runStatement(templateUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function runStatement(templateUrl: string, sql: string): Promise<void> {
  const url = new URL(templateUrl);
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
