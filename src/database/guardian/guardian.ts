import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MedusaViteError } from '../../shared/failure.ts';
import type { DatabaseFolder } from '../database-folder.ts';
import { DATABASE_FOLDER_NAME, resolveDatabaseFolder } from '../database-folder.ts';
import {
  giveDataTo,
  hasData,
  initialiseData,
  readOrCreatePassword,
  SUPERUSER,
} from '../server/data-directory.ts';
import { DatabaseLock } from '../server/database-lock.ts';
import { hydrateLibraryLinks } from '../server/library-links.ts';
import { resolvePostgresPackage } from '../server/postgres-package.ts';
import type { Postmaster } from '../server/postmaster.ts';
import { startPostmaster, stopLeftover } from '../server/postmaster.ts';
import { killGroup, waitForEnd } from '../server/program-run.ts';
import { resolveServerUser } from '../server/server-user.ts';
import type { GuardedProgram, GuardianToHost, HostToGuardian } from './guardian-messages.ts';
import { isHostToGuardian } from './guardian-messages.ts';

/**
 * The process between the host and PostgreSQL. It is in a session of its own, so that Ctrl-C in the
 * terminal ends the app before its database, and it stops PostgreSQL when the host is gone, also
 * when that was killed.
 */
class Guardian {
  /** Set once this process holds the data directory. */
  #lock: DatabaseLock | undefined;
  /** The latest PostgreSQL that was started; it may still be starting. */
  #postmaster: Postmaster | undefined;
  /** `initdb`, and what the host asked to run. */
  readonly #programs = new Set<ChildProcess>();
  /** Set by the first `start`. */
  #start: Promise<void> | undefined;
  /** Set by the first reason to stop, and never cleared. */
  #stop: Promise<void> | undefined;

  receive(message: HostToGuardian): void {
    switch (message.type) {
      case 'start':
        this.#start ??= this.#startOrReport(message.root);
        break;
      case 'run':
        void this.#run(message.id, message.program);
        break;
      case 'stop':
        this.stop();
        break;
      default:
        message satisfies never;
    }
  }

  /** Ends everything that runs, then this process. */
  stop(): void {
    this.#stop ??= this.#stopAll().finally(() => process.exit(0));
  }

  async #startOrReport(root: string): Promise<void> {
    try {
      await this.#startPostgres(root);
    } catch (error) {
      if (this.#stop !== undefined) return;
      await send({
        type: 'failed',
        message: error instanceof Error ? error.message : String(error),
        ...(error instanceof MedusaViteError && { code: error.code, hint: error.hint }),
      });
      this.stop();
    }
  }

  async #startPostgres(root: string): Promise<void> {
    const folder = resolveDatabaseFolder(root);
    const binaries = await resolvePostgresPackage(root);
    await makeFolder(root, folder);
    this.#lock = await DatabaseLock.acquire(folder.lock, process.ppid);
    this.#assertRunning();
    await hydrateLibraryLinks(binaries);
    const user = resolveServerUser({ root, folder, program: binaries.postgres });
    const isNewData = !(await hasData(folder, binaries));
    const password = await readOrCreatePassword(folder.password, isNewData);
    await belongToProject(root, folder.password);
    await chmod(folder.password, 0o600);
    this.#assertRunning();
    if (isNewData) {
      await initialiseData({
        folder,
        binaries,
        user,
        password,
        onProgram: (child) => this.#watch(child),
      });
    } else {
      await stopLeftover({ folder, binaries }, (line) => void send({ type: 'log', line }));
      await giveDataTo(user, folder.data);
    }
    this.#assertRunning();
    const postmaster = await startPostmaster({
      folder,
      binaries,
      user,
      onSpawn: (spawned) => {
        this.#postmaster = spawned;
        // The stop did not see this one, and ends the process without waiting for it.
        if (this.#stop !== undefined) spawned.kill();
        this.#assertRunning();
      },
    });
    void postmaster.ended.then(() => this.#reportEnd(postmaster));
    await send({
      type: 'started',
      pid: postmaster.pid,
      port: postmaster.port,
      user: SUPERUSER,
      password,
      version: binaries.version,
      isNewData,
    });
  }

  async #run(id: number, program: GuardedProgram): Promise<void> {
    const child = spawn(program.command, program.args, {
      cwd: program.cwd,
      env: program.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#watch(child);
    const limit = setTimeout(() => killGroup(child), program.limitMs);
    try {
      await send({ type: 'ran', id, end: await waitForEnd(child) });
    } catch (error) {
      const output = error instanceof Error ? error.message : String(error);
      await send({ type: 'ran', id, end: { code: null, signal: null, output } });
    } finally {
      clearTimeout(limit);
    }
  }

  #watch(child: ChildProcess): void {
    this.#programs.add(child);
    child.once('close', () => this.#programs.delete(child));
    if (this.#stop !== undefined) killGroup(child);
  }

  async #reportEnd(postmaster: Postmaster): Promise<void> {
    if (this.#stop !== undefined) return;
    await send({ type: 'ended', output: await postmaster.describeFailure() });
    this.stop();
  }

  async #stopAll(): Promise<void> {
    for (const child of this.#programs) killGroup(child);
    await this.#postmaster?.stop();
    await this.#lock?.release();
  }

  #assertRunning(): void {
    if (this.#stop !== undefined) throw new Error('stopped while it started');
  }
}

async function makeFolder(root: string, folder: DatabaseFolder): Promise<void> {
  try {
    const first = await mkdir(folder.folder, { recursive: true, mode: 0o755 });
    if (first === undefined) return;
    // The folder holds a password and must not be committed, whatever the project ignores.
    await writeFile(join(folder.folder, '.gitignore'), '*\n');
    for (const made of new Set([first, folder.folder])) {
      // The umask may have closed it to the user that PostgreSQL runs as.
      await chmod(made, 0o755);
      await belongToProject(root, made);
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

/** What root makes must stay usable for the project's owner. */
async function belongToProject(root: string, file: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(root);
  await chown(file, uid, gid);
}

/** Resolves when the message has left, also when the host is gone: `disconnect` says that. */
function send(message: GuardianToHost): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

const guardian = new Guardian();
process.on('message', (message: unknown) => {
  if (isHostToGuardian(message)) guardian.receive(message);
});
process.on('disconnect', () => guardian.stop());
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
  process.on(signal, () => guardian.stop());
}
