import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { MedusaViteError } from '../../shared/failure.ts';
import type { DatabaseFolder } from '../database-folder.ts';
import { DATABASE_FOLDER_NAME } from '../database-folder.ts';

/** As whom PostgreSQL runs: it refuses to run as root. */
export type ServerUser =
  | { readonly type: 'own' }
  | {
      readonly type: 'other';
      readonly uid: number;
      readonly gid: number;
      /** Words of a `setpriv` call that replaces Node's own change of user; empty when not needed. */
      readonly prefix: readonly string[];
    };

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface ServerUserOptions {
  readonly root: string;
  readonly folder: DatabaseFolder;
  /** Any program of PostgreSQL: the user must be able to execute it. */
  readonly program: string;
}

const SETPRIV_WAIT_MS = 5000;
// Bits of CapEff in /proc/self/status. The first is the smaller right; a container of Docker has
// the second one only.
const PASSING_CAPABILITIES = [
  { name: 'dac_read_search', bit: 2n },
  { name: 'dac_override', bit: 1n },
];

export function resolveServerUser(options: ServerUserOptions): ServerUser {
  if (process.getuid === undefined) return { type: 'own' };
  const dataOwner = existsSync(options.folder.data) ? statSync(options.folder.data) : undefined;
  if (process.getuid() !== 0) {
    assertOwnUser(process.getuid(), dataOwner?.uid);
    return { type: 'own' };
  }
  const { uid, gid } = chooseUser(dataOwner, statSync(options.root));
  const blocking = findBlockingFolder([options.folder.folder, options.program], uid, gid);
  const prefix = blocking === undefined ? [] : setprivPrefix({ uid, gid, blocking, ...options });
  return { type: 'other', uid, gid, prefix };
}

export function spawnAs(
  user: ServerUser,
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnOptions,
): ChildProcess {
  // The programs look up their working directory, and the project's may be closed to their user.
  const cwd = process.platform === 'win32' ? undefined : '/';
  const base: SpawnOptions = { ...options, cwd, env: serverEnv(process.env), windowsHide: true };
  if (user.type === 'own') return spawn(program, args, base);
  const [wrapper, ...words] = user.prefix;
  if (wrapper !== undefined) return spawn(wrapper, [...words, program, ...args], base);
  return spawn(program, args, { ...base, uid: user.uid, gid: user.gid });
}

export function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !uid || !gid || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** The first folder on the way to one of the files that the user may not pass. */
export function findBlockingFolder(
  files: readonly string[],
  uid: number,
  gid: number,
): string | undefined {
  for (const file of files) {
    const path: string[] = [];
    for (let at = realpathSync(file); ; at = dirname(at)) {
      path.unshift(at);
      if (at === dirname(at)) break;
    }
    const blocking = path.find((folder) => {
      const { mode, uid: owner, gid: group } = statSync(folder);
      const right = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
      return (mode & right) === 0;
    });
    if (blocking !== undefined) return blocking;
  }
  return undefined;
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
  if (dataOwner !== undefined) return;
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

function chooseUser(
  data: { uid: number; gid: number } | undefined,
  root: { uid: number; gid: number },
): { uid: number; gid: number } {
  if (data !== undefined && data.uid !== 0) return data;
  const known = existsSync('/etc/passwd') ? parsePasswd(readFileSync('/etc/passwd', 'utf8')) : [];
  // The owner of the project comes first: then the data stays usable when that user starts us.
  const chosen =
    (root.uid === 0 ? undefined : known.find((entry) => entry.uid === root.uid)) ??
    known.find((entry) => entry.name === 'postgres' && entry.uid !== 0) ??
    known.find((entry) => entry.name === 'nobody' && entry.uid !== 0) ??
    known.find((entry) => entry.uid !== 0);
  if (chosen !== undefined) return chosen;
  throw new MedusaViteError(
    'PostgreSQL does not run as root, and this machine has no other user to run it as.',
    { code: 'DATABASE_NO_USER', hint: 'Add a user (`useradd postgres`), or set `DATABASE_URL`.' },
  );
}

function setprivPrefix(
  options: ServerUserOptions & { uid: number; gid: number; blocking: string },
): string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readOr('/proc/self/status', ''))?.[1] ?? '0';
  for (const { name, bit } of PASSING_CAPABILITIES) {
    if ((BigInt(`0x${effective}`) & (1n << bit)) === 0n) continue;
    // Folders such as /root are closed to every other user. Root may pass them, so PostgreSQL gets
    // that one right of root's, and no other.
    const prefix = [
      'setpriv',
      `--reuid=${options.uid}`,
      `--regid=${options.gid}`,
      '--clear-groups',
      // Else `access()`, by which `initdb` looks for `postgres`, leaves the right below out.
      '--securebits=+no_setuid_fixup',
      `--inh-caps=+${name}`,
      `--ambient-caps=+${name}`,
      '--',
    ];
    const [command, ...words] = [...prefix, options.program, '--version'];
    if (command === undefined) continue;
    const probe = spawnSync(command, words, {
      stdio: 'ignore',
      cwd: '/',
      timeout: SETPRIV_WAIT_MS,
    });
    if (probe.status === 0) return prefix;
  }
  throw new MedusaViteError(
    `PostgreSQL does not run as root, and the user it would run as (id \`${options.uid}\`) may not pass the folder \`${options.blocking}\`.`,
    {
      code: 'DATABASE_FOLDER_CLOSED',
      hint: `Run \`chmod o+x\` on \`${options.blocking}\`, or move the project, or start as an ordinary user, or set \`DATABASE_URL\`.`,
    },
  );
}

/** The user's own `PG*` variables name another database: none of them may reach ours. */
function serverEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', LANGUAGE: 'C' };
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
