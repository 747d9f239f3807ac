import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { hasCode, MedusaViteError } from '../../shared/failure.ts';
import type { PostgresPackage } from './postgres-package.ts';

/** Both are relative to the package. */
interface LibraryLink {
  /** The real file. */
  readonly source: string;
  /** The link to make. */
  readonly target: string;
}

const EXECUTABLE = 0o555;

/**
 * Makes the symbolic links of the shared libraries, if they are missing. A tarball of npm cannot hold them, so the
 * platform package makes them in a `postinstall` script. npm 11 and pnpm do not run it unless the user allows it,
 * and then no program of the package starts.
 */
export async function makeLibraryLinks(binaries: PostgresPackage): Promise<void> {
  const links = await readLinks(join(binaries.folder, 'native', 'pg-symlinks.json'));
  try {
    await Promise.all(links.map((link) => makeLink(binaries.folder, link)));
    await Promise.all([binaries.postgres, binaries.initdb, binaries.pgCtl].map(makeExecutable));
  } catch (error) {
    throw new MedusaViteError(
      `The shared libraries of \`${binaries.folder}\` need symbolic links, and they could not be made: ${error instanceof Error ? error.message : String(error)}`,
      {
        code: 'DATABASE_PACKAGE_READ_ONLY',
        hint: 'Make `node_modules` writable for one start, or let the package run its install script (`npm rebuild` with scripts allowed), or set `DATABASE_URL`.',
        cause: error,
      },
    );
  }
}

async function makeLink(folder: string, link: LibraryLink): Promise<void> {
  const source = join(folder, link.source);
  const target = join(folder, link.target);
  if (await exists(target)) {
    return;
  }
  try {
    await symlink(relative(dirname(target), source), target);
  } catch (error) {
    // Another start made it between the two calls.
    if (!hasCode(error, 'EEXIST')) {
      throw error;
    }
  }
}

async function readLinks(file: string): Promise<LibraryLink[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    // The Windows package has none.
    return [];
  }
  const list: unknown = JSON.parse(text);
  return Array.isArray(list) ? list.filter(isLibraryLink) : [];
}

function isLibraryLink(value: unknown): value is LibraryLink {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  return (
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  // On a read-only file system even a chmod that changes nothing fails.
  if (process.platform !== 'win32' && (mode & EXECUTABLE) !== EXECUTABLE) {
    await chmod(file, mode | EXECUTABLE);
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch {
    return false;
  }
}
