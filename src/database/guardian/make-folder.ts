import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MedusaViteError } from '../../shared/failure.ts';
import { DATABASE_FOLDER_NAME, type DatabaseFolder } from '../database-folder.ts';

export async function makeDatabaseFolder(root: string, { folder }: DatabaseFolder): Promise<void> {
  try {
    const first = await mkdir(folder, { recursive: true, mode: 0o755 });
    if (first === undefined) {
      return;
    }
    // The folder holds a password and must not be committed, whatever the project ignores.
    await writeFile(join(folder, '.gitignore'), '*\n');
    for (const made of new Set([first, folder])) {
      // The umask may have closed it to the user that PostgreSQL runs as.
      await chmod(made, 0o755);
      await giveToProjectOwner(root, made);
    }
  } catch (error) {
    throw new MedusaViteError(
      `The folder \`${DATABASE_FOLDER_NAME}\` for the database could not be made: ${error instanceof Error ? error.message : String(error)}`,
      {
        code: 'DATABASE_FOLDER_CLOSED',
        hint: 'Make the project writable, or set `DATABASE_URL`.',
        cause: error,
      },
    );
  }
}

/** What root makes must stay usable for the owner of the project. */
export async function giveToProjectOwner(root: string, file: string): Promise<void> {
  if (process.getuid?.() === 0) {
    const { uid, gid } = await stat(root);
    await chown(file, uid, gid);
  }
}
