import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { hasCode, MedusaViteError } from '../../shared/failure.ts';
import { DATABASE_FOLDER_NAME } from '../database-folder.ts';

/** The PostgreSQL role that has the password. */
export const SUPERUSER = 'medusa';

/** @param isNew whether there is no data yet: data that exists has its password already */
export async function readOrCreatePassword(file: string, isNew: boolean): Promise<string> {
  try {
    const password = (await readFile(file, 'utf8')).trim();
    if (password !== '') {
      return password;
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) {
      throw error;
    }
  }
  if (!isNew) {
    throw new MedusaViteError(
      `The password file \`${DATABASE_FOLDER_NAME}/password\` is missing.`,
      {
        code: 'DATABASE_NO_PASSWORD',
        hint: `Restore it, or delete \`${DATABASE_FOLDER_NAME}\` to start with an empty database.`,
      },
    );
  }
  const password = randomBytes(24).toString('hex');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}
