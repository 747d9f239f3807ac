import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const GUARD = new URL('../../../dist/src/medusa/migrations/only-our-database.js', import.meta.url)
  .href;
const RUN_WAIT_MS = 50_000;
// Nothing listens on port 1: a connection that is let through is refused.
const OURS = 'postgres://medusa:secret@127.0.0.1:1/medusa';

describe('the guard of the migrations', () => {
  it('ends the run before a connection to a server that the project names', () => {
    const end = connectTo('postgres://u:p@127.0.0.1:2/live');
    expect(end.status).toBe(87);
    expect(end.stderr).toContain(
      'medusa-vite: The project connects to the database server `127.0.0.1:2`',
    );
    expect(end.stdout).toBe('');
  });

  it('lets a connection to our server through, whatever the database', () => {
    for (const url of [OURS, 'postgres://medusa:secret@127.0.0.1:1/postgres']) {
      expect(connectTo(url).stdout).toContain('ECONNREFUSED');
    }
  });

  it('also meets `pg` when it is imported as a module', () => {
    expect(
      connectTo('postgres://u:p@127.0.0.1:2/live', "(await import('pg')).default").status,
    ).toBe(87);
  });
});

function connectTo(
  url: string,
  pg = "(await import('node:module')).createRequire(process.cwd() + '/x.js')('pg')",
): { status: number | null; stdout: string; stderr: string } {
  const code = `
    const pg = ${pg};
    const pool = new pg.Pool({ connectionString: '${url}' });
    await pool.connect().catch((error) => console.log(error.code));
  `;
  return spawnSync(process.execPath, ['--import', GUARD, '--input-type=module', '-e', code], {
    cwd: REPOSITORY,
    env: { ...process.env, DATABASE_URL: OURS },
    encoding: 'utf8',
    timeout: RUN_WAIT_MS,
  });
}
