import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { ServerUser } from './server-user.ts';

/** Starts a program of PostgreSQL as the user that owns the data. */
export function spawnAs(
  user: ServerUser,
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnOptions,
): ChildProcess {
  // The programs look up their working directory, and the project's may be closed to their user.
  const cwd = process.platform === 'win32' ? undefined : '/';
  const base: SpawnOptions = { ...options, cwd, env: serverEnv(process.env), windowsHide: true };
  if (user.type === 'own') {
    return spawn(program, args, base);
  }
  const [wrapper, ...words] = user.prefix;
  return wrapper === undefined
    ? spawn(program, args, { ...base, uid: user.uid, gid: user.gid })
    : spawn(wrapper, [...words, program, ...args], base);
}

/** The user's own `PG*` variables name another database: none of them may reach ours. */
function serverEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', LANGUAGE: 'C' };
}
