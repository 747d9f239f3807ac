import type { ChildProcess } from 'node:child_process';
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { MedusaViteError } from '../../shared/failure.ts';
import type { DatabaseFolder } from '../database-folder.ts';
import { SUPERUSER } from './password.ts';
import type { PostgresPackage } from './postgres-package.ts';
import { waitForEnd } from './program-run.ts';
import type { ServerUser } from './server-user.ts';
import { spawnAs } from './spawn-as.ts';

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

/** Makes the data directory, or nothing of it. */
export async function initialiseData(options: InitialiseOptions): Promise<void> {
  const { folder, user } = options;
  const passwordFile = `${folder.unfinishedData}.password`;
  // An earlier start may have been killed here.
  await rm(folder.unfinishedData, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await mkdir(folder.unfinishedData, { mode: 0o700 });
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600, flag: 'wx' });
  if (user.type === 'other') {
    await chown(folder.unfinishedData, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  try {
    await runInitdb(options, passwordFile);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rm(folder.data, { recursive: true, force: true });
  await rm(folder.migrations, { force: true });
  await rename(folder.unfinishedData, folder.data);
}

async function runInitdb(options: InitialiseOptions, passwordFile: string): Promise<void> {
  const { binaries, folder, user } = options;
  // Plain C compares bytes only, so that ILIKE would not find `É` for `é`.
  const locale =
    binaries.major >= BUILTIN_LOCALES_SINCE
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : ['--locale=C'];
  const words = [
    `--pgdata=${folder.unfinishedData}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    ...locale,
  ];
  const child = spawnAs(user, [binaries.initdb, ...words], {
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
}
