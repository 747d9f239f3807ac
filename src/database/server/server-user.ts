import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { MedusaViteError } from '../../shared/failure.ts';
import { DATABASE_FOLDER_NAME, type DatabaseFolder } from '../database-folder.ts';
import { findClosedFolder, passingPrefix, type UserIds } from './closed-folder.ts';

/** The user that PostgreSQL runs as: it refuses to run as root. */
export type ServerUser =
  | { readonly type: 'own' }
  | (UserIds & {
      readonly type: 'other';
      /** Words of a `setpriv` call, in place of Node's own change of user; empty when not needed. */
      readonly prefix: readonly string[];
    });

interface PasswdEntry extends UserIds {
  readonly name: string;
}

export function resolveServerUser(options: {
  root: string;
  folder: DatabaseFolder;
  /** Any program of PostgreSQL: the user must be able to execute it. */
  program: string;
}): ServerUser {
  const { root, folder, program } = options;
  if (process.getuid === undefined) {
    return { type: 'own' };
  }
  const dataOwner = existsSync(folder.data) ? statSync(folder.data) : undefined;
  if (process.getuid() !== 0) {
    assertOwnUser(process.getuid(), dataOwner?.uid);
    return { type: 'own' };
  }
  const { uid, gid } = chooseUser(dataOwner, statSync(root));
  const closed = findClosedFolder([folder.folder, program], { uid, gid });
  const prefix =
    closed === undefined ? [] : passingPrefix({ uid, gid }, { folder: closed, program });
  return { type: 'other', uid, gid, prefix };
}

export function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid && /^\d+$/.test(uid) && /^\d+$/.test(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid) }]
      : [];
  });
}

function assertOwnUser(uid: number, dataOwner: number | undefined): void {
  if (dataOwner !== undefined && dataOwner !== uid) {
    throw new MedusaViteError(
      `\`${DATABASE_FOLDER_NAME}/data\` belongs to the user with the id \`${dataOwner}\`, but this process runs as \`${uid}\`.`,
      {
        code: 'DATABASE_OTHER_USER',
        hint: `Start as that user, or give \`${DATABASE_FOLDER_NAME}\` to \`${uid}\` with \`chown -R\`, or delete it to start with an empty database.`,
      },
    );
  }
  if (dataOwner !== undefined) {
    return;
  }
  try {
    userInfo();
  } catch (error) {
    // Only `initdb` asks for the name, so data that exists needs none.
    throw new MedusaViteError(
      `PostgreSQL cannot create its data as the user with the id \`${uid}\`: this id has no name on this machine.`,
      {
        code: 'DATABASE_NO_USER',
        hint: 'Add a line for it to /etc/passwd, or run as a user that has one, or set `DATABASE_URL`.',
        cause: error,
      },
    );
  }
}

function chooseUser(data: Stats | undefined, root: Stats): UserIds {
  if (data !== undefined && data.uid !== 0) {
    return data;
  }
  const known = existsSync('/etc/passwd') ? parsePasswd(readFileSync('/etc/passwd', 'utf8')) : [];
  const others = known.filter(({ uid }) => uid !== 0);
  const chosen =
    // The owner of the project comes first: then the data stays usable when that user starts us.
    others.find(({ uid }) => uid === root.uid) ??
    others.find(({ name }) => name === 'postgres') ??
    others.find(({ name }) => name === 'nobody') ??
    others[0];
  if (chosen === undefined) {
    throw new MedusaViteError(
      'PostgreSQL does not run as root, and this machine has no other user to run it as.',
      { code: 'DATABASE_NO_USER', hint: 'Add a user (`useradd postgres`), or set `DATABASE_URL`.' },
    );
  }
  return chosen;
}
