import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { MedusaViteError } from '../../shared/failure.ts';
import { DATABASE_FOLDER_NAME, type DatabaseFolder } from '../database-folder.ts';
import type { PostgresPackage } from './postgres-package.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { identifyPostmaster } from './process-identity.ts';

export interface StopOptions {
  readonly folder: DatabaseFolder;
  readonly binaries: PostgresPackage;
}

/**
 * A fast shutdown writes a checkpoint, which takes far less than a second for a development database. The three
 * limits together stay below the six seconds after which nothing of a killed host may be left.
 */
const STOP_STEPS = [
  { mode: 'fast', signal: 'SIGINT', waitMs: 3000 },
  { mode: 'immediate', signal: 'SIGQUIT', waitMs: 1000 },
  { mode: 'kill', signal: 'SIGKILL', waitMs: 1000 },
] as const;
const PG_CTL_WAIT_MS = 1000;
const POLL_MS = 20;

/**
 * Stops a PostgreSQL, with more force at each step. `hasEnded` is asked before each step; `ended` resolves when the
 * process ends, or after the limit.
 * @returns whether it has ended
 */
export async function stopInSteps(
  pid: number,
  options: StopOptions & { hasEnded(): boolean; ended(limitMs: number): Promise<unknown> },
): Promise<boolean> {
  for (const step of STOP_STEPS) {
    if (options.hasEnded()) {
      return true;
    }
    sendStop(pid, { ...step, ...options });
    await options.ended(step.waitMs);
  }
  return options.hasEnded();
}

/** Stops a PostgreSQL whose guardian was killed, unless it has ended or was taken over since. */
export async function stopOrphan(pid: number, options: StopOptions): Promise<void> {
  const file = await readPostmasterFile(options.folder.data);
  if (file?.pid === pid) {
    await stopByPid(pid, options);
  }
}

/** Stops the PostgreSQL that a killed run left behind. Only for the holder of the lock. */
export async function stopLeftover(
  options: StopOptions,
  log: (line: string) => void,
): Promise<void> {
  const { data } = options.folder;
  const file = await readPostmasterFile(data);
  if (file === undefined) {
    return;
  }
  if (identifyPostmaster(file.pid, data) === 'ours') {
    log(`stopping the PostgreSQL that an earlier run left behind (process ${file.pid})`);
    await stopByPid(file.pid, options);
  }
  // PostgreSQL removes it itself, except when the process is a zombie, which it takes for alive.
  await rm(join(data, 'postmaster.pid'), { force: true });
}

/** Stops a PostgreSQL that is not our child. */
async function stopByPid(pid: number, options: StopOptions): Promise<void> {
  // Asked again before each signal: by then the number may have a new owner.
  const hasEnded = (): boolean => identifyPostmaster(pid, options.folder.data) !== 'ours';
  const ended = async (limitMs: number): Promise<void> => {
    const until = Date.now() + limitMs;
    while (Date.now() < until && !hasEnded()) {
      await wait(POLL_MS);
    }
  };
  if (!(await stopInSteps(pid, { ...options, hasEnded, ended }))) {
    throw new MedusaViteError(
      `A PostgreSQL of an earlier run (process \`${pid}\`) still holds \`${DATABASE_FOLDER_NAME}/data\` and does not stop.`,
      { code: 'DATABASE_IN_USE', hint: `End process \`${pid}\`, then start again.` },
    );
  }
}

function sendStop(
  pid: number,
  { folder, binaries, mode, signal }: StopOptions & (typeof STOP_STEPS)[number],
): void {
  if (process.platform === 'win32' && mode !== 'kill') {
    // There are no signals on Windows: Node's would end the process without a shutdown.
    spawnSync(binaries.pgCtl, ['stop', '-W', '-m', mode, '-D', folder.data], {
      stdio: 'ignore',
      timeout: PG_CTL_WAIT_MS,
      windowsHide: true,
    });
    return;
  }
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in this very moment.
  }
}
