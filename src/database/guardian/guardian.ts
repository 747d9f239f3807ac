import { type ChildProcess, spawn } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { MedusaViteError } from '../../shared/failure.ts';
import { Link } from '../../shared/process/link.ts';
import { resolveDatabaseFolder } from '../database-folder.ts';
import { giveDataTo, hasData } from '../server/data-directory.ts';
import { initialiseData } from '../server/initdb.ts';
import { makeLibraryLinks } from '../server/library-links.ts';
import { readOrCreatePassword, SUPERUSER } from '../server/password.ts';
import { resolvePostgresPackage } from '../server/postgres-package.ts';
import type { Postmaster } from '../server/postmaster.ts';
import { startPostmaster } from '../server/postmaster-start.ts';
import { stopLeftover } from '../server/postmaster-stop.ts';
import { killGroup, waitForEnd } from '../server/program-run.ts';
import { resolveServerUser } from '../server/server-user.ts';
import { DatabaseLock } from './database-lock.ts';
import type {
  GuardedProgram,
  GuardianToHost,
  HostToGuardian,
  StartedPostgres,
} from './guardian-messages.ts';
import { giveToProjectOwner, makeDatabaseFolder } from './make-folder.ts';

/**
 * The process between the host and PostgreSQL. It has a session of its own, so that Ctrl-C in the terminal ends
 * the app before its database, and it stops PostgreSQL when the host has gone, even when the host was killed.
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

  readonly #link = new Link<GuardianToHost, HostToGuardian>(process, {
    start: ({ id, root }) => {
      this.#start ??= this.#startOrReport(id, root);
    },
    run: ({ id, program }) => void this.#run(id, program),
    stop: () => this.stop(),
  });

  /** Ends everything that runs, then this process. */
  stop(): void {
    this.#stop ??= this.#stopAll().finally(() => process.exit(0));
  }

  async #startOrReport(id: number, root: string): Promise<void> {
    try {
      const started = await this.#startPostgres(root);
      await this.#link.send({ type: 'started', id, ...started });
    } catch (error) {
      if (this.#stop !== undefined) {
        return;
      }
      await this.#link.send({
        type: 'failed',
        id,
        message: error instanceof Error ? error.message : String(error),
        ...(error instanceof MedusaViteError && { code: error.code, hint: error.hint }),
      });
      this.stop();
    }
  }

  async #startPostgres(root: string): Promise<StartedPostgres> {
    const folder = resolveDatabaseFolder(root);
    const binaries = await resolvePostgresPackage(root);
    await makeDatabaseFolder(root, folder);
    this.#lock = await DatabaseLock.acquire(folder.lock, process.ppid);
    this.#assertRunning();
    await makeLibraryLinks(binaries);
    const user = resolveServerUser({ root, folder, program: binaries.postgres });
    const isNewData = !(await hasData(folder, binaries));
    const password = await readOrCreatePassword(folder.password, isNewData);
    await giveToProjectOwner(root, folder.password);
    await chmod(folder.password, 0o600);
    this.#assertRunning();
    if (isNewData) {
      const onProgram = (child: ChildProcess): void => this.#watch(child);
      await initialiseData({ folder, binaries, user, password, onProgram });
    } else {
      await stopLeftover(
        { folder, binaries },
        (line) => void this.#link.send({ type: 'log', line }),
      );
      await giveDataTo(user, folder.data);
    }
    this.#assertRunning();
    const postmaster = await startPostmaster({
      folder,
      binaries,
      user,
      onSpawn: (spawned) => {
        this.#postmaster = spawned;
        // A stop in between did not see this one, and does not wait for it.
        if (this.#stop !== undefined) {
          spawned.kill();
        }
        this.#assertRunning();
      },
    });
    void postmaster.ended.then(() => this.#reportEnd(postmaster));
    const { pid, port } = postmaster;
    return { pid, port, user: SUPERUSER, password, version: binaries.version };
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
      await this.#link.send({ type: 'ran', id, end: await waitForEnd(child) });
    } catch (error) {
      const output = error instanceof Error ? error.message : String(error);
      await this.#link.send({ type: 'ran', id, end: { code: null, signal: null, output } });
    } finally {
      clearTimeout(limit);
    }
  }

  #watch(child: ChildProcess): void {
    this.#programs.add(child);
    child.once('close', () => this.#programs.delete(child));
    if (this.#stop !== undefined) {
      killGroup(child);
    }
  }

  async #reportEnd(postmaster: Postmaster): Promise<void> {
    if (this.#stop !== undefined) {
      return;
    }
    await this.#link.send({ type: 'ended', output: await postmaster.describeFailure() });
    this.stop();
  }

  async #stopAll(): Promise<void> {
    for (const child of this.#programs) {
      killGroup(child);
    }
    await this.#postmaster?.stop();
    await this.#lock?.release();
  }

  #assertRunning(): void {
    if (this.#stop !== undefined) {
      throw new Error('stopped while it started');
    }
  }
}

const guardian = new Guardian();
process.on('disconnect', () => guardian.stop());
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
  process.on(signal, () => guardian.stop());
}
