import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MedusaViteError } from '../../shared/failure.ts';

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

const SETPRIV_WAIT_MS = 5000;
/** Bits of CapEff in /proc/self/status. The first is the smaller right; a container of Docker has only the second. */
const PASSING_CAPABILITIES = [
  { name: 'dac_read_search', bit: 2n },
  { name: 'dac_override', bit: 1n },
];

/** The first folder on the way to one of the files that the user may not pass. */
export function findClosedFolder(
  files: readonly string[],
  { uid, gid }: UserIds,
): string | undefined {
  return files.flatMap(pathTo).find((folder) => {
    const { mode, uid: owner, gid: group } = statSync(folder);
    const right = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    return (mode & right) === 0;
  });
}

/**
 * Words of a `setpriv` call that runs a program as the user, with the right to pass a closed folder. Folders such as
 * /root are closed to every other user. Root may pass them: PostgreSQL gets that one right of root's, and no other.
 */
export function passingPrefix(
  { uid, gid }: UserIds,
  { folder, program }: { folder: string; program: string },
): string[] {
  const rights = effectiveCapabilities();
  for (const { name, bit } of PASSING_CAPABILITIES) {
    const words = [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      // Else `access()`, by which `initdb` looks for `postgres`, leaves the right below out.
      '--securebits=+no_setuid_fixup',
      `--inh-caps=+${name}`,
      `--ambient-caps=+${name}`,
      '--',
    ];
    if ((rights & (1n << bit)) !== 0n && isExecutable([...words, program, '--version'])) {
      return ['setpriv', ...words];
    }
  }
  throw new MedusaViteError(
    `PostgreSQL does not run as root, and the user it would run as (id \`${uid}\`) may not pass the folder \`${folder}\`.`,
    {
      code: 'DATABASE_FOLDER_CLOSED',
      hint: `Run \`chmod o+x\` on \`${folder}\`, or move the project, or start as an ordinary user, or set \`DATABASE_URL\`.`,
    },
  );
}

/** From the root of the file system to the file itself. */
function pathTo(file: string): string[] {
  const path: string[] = [];
  for (let at = realpathSync(file); ; at = dirname(at)) {
    path.unshift(at);
    if (at === dirname(at)) {
      return path;
    }
  }
}

function effectiveCapabilities(): bigint {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  } catch {
    return 0n;
  }
}

function isExecutable(words: string[]): boolean {
  const probe = spawnSync('setpriv', words, {
    stdio: 'ignore',
    cwd: '/',
    timeout: SETPRIV_WAIT_MS,
  });
  return probe.status === 0;
}
