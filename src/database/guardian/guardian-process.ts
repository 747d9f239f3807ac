import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MedusaViteError } from '../../shared/failure.ts';
import { DATABASE_FOLDER_NAME, resolveDatabaseFolder } from '../database-folder.ts';
import { resolvePostgresPackage } from '../server/postgres-package.ts';
import { stopOrphan } from '../server/postmaster-stop.ts';
import type { ProgramEnd } from '../server/program-run.ts';
import {
  type GuardedProgram,
  type GuardianToHost,
  type HostToGuardian,
  isGuardianToHost,
} from './guardian-messages.ts';

/** A source file in unit tests, and built everywhere else, as this file is. */
const GUARDIAN_FILE = fileURLToPath(
  new URL(`./guardian${extname(import.meta.url)}`, import.meta.url),
);
/** The guardian's own limits (lock, `initdb`, recovery) come first; this one is for a hung guardian. */
const START_WAIT_MS = 120_000;
/** The guardian kills PostgreSQL after five seconds. */
const STOP_WAIT_MS = 8000;

/** The guardian, as the host sees it. */
export class GuardianProcess {
  readonly #child: ChildProcess;
  readonly #root: string;
  readonly #log: (line: string) => void;
  /** Wait for a message of the guardian; each gets `undefined` when the guardian has ended. */
  readonly #listeners = new Set<(message: GuardianToHost | undefined) => void>();
  #lastRunId = 0;
  /** Set by the first `stop`. */
  #stopping: Promise<void> | undefined;
  #hasEnded = false;
  /** Set when the guardian ended in order. One that is killed leaves PostgreSQL running. */
  #hasStoppedPostgres = false;
  /** Set by the answer to `start`. */
  #postgresPid: number | undefined;

  constructor(root: string, log: (line: string) => void) {
    this.#root = root;
    this.#log = log;
    this.#child = fork(GUARDIAN_FILE, [], {
      cwd: root,
      // Out of the terminal's foreground group: Ctrl-C must not end the database before the app.
      detached: true,
      // Flags such as --inspect belong to the host, and a port can be inspected once only.
      execArgv: [],
      env: withoutNodeOptions(process.env),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('message', (message) => this.#receive(message));
    this.#child.once('error', () => this.#end());
    this.#child.once('exit', (code) => {
      this.#hasStoppedPostgres = code === 0;
      this.#end();
    });
  }

  async start(): Promise<Extract<GuardianToHost, { type: 'started' }>> {
    const answer = this.#next(START_WAIT_MS, (message) =>
      message.type === 'started' || message.type === 'failed' ? message : undefined,
    );
    this.#send({ type: 'start', root: this.#root });
    const message = await answer;
    if (message === undefined) {
      throw new MedusaViteError('The process that keeps the database ended, or gave no answer.', {
        code: 'DATABASE_START_FAILED',
        hint: `Look into \`${DATABASE_FOLDER_NAME}/postgres.log\`, or set \`DATABASE_URL\`.`,
      });
    }
    if (message.type === 'failed') {
      const { code, hint } = message;
      throw new MedusaViteError(message.message, {
        ...(code !== undefined && { code }),
        ...(hint !== undefined && { hint }),
      });
    }
    this.#postgresPid = message.pid;
    // From here on the guardian follows the host; it must not keep a finished host alive.
    this.#child.unref();
    this.#child.channel?.unref();
    return message;
  }

  async run(program: GuardedProgram): Promise<ProgramEnd> {
    this.#lastRunId += 1;
    const id = this.#lastRunId;
    this.#child.channel?.ref();
    const answer = this.#next(program.limitMs + STOP_WAIT_MS, (message) =>
      message.type === 'ran' && message.id === id ? message : undefined,
    );
    this.#send({ type: 'run', id, program });
    const message = await answer;
    this.#child.channel?.unref();
    return message?.end ?? { code: null, signal: null, output: 'The database was stopped.' };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (!this.#hasEnded) {
      const end = this.#next(STOP_WAIT_MS, () => undefined);
      this.#send({ type: 'stop' });
      await end;
      if (!this.#hasEnded) {
        this.#child.kill('SIGKILL');
      }
    }
    if (this.#hasStoppedPostgres || this.#postgresPid === undefined) {
      return;
    }
    const folder = resolveDatabaseFolder(this.#root);
    const binaries = await resolvePostgresPackage(this.#root);
    await stopOrphan(this.#postgresPid, { folder, binaries });
  }

  #send(message: HostToGuardian): void {
    // A guardian that is gone is noticed by its `exit`.
    if (this.#child.connected) {
      this.#child.send(message, () => {});
    }
  }

  /** The first message that `pick` takes; `undefined` when the guardian ends or the limit passes. */
  #next<T>(
    limitMs: number,
    pick: (message: GuardianToHost) => T | undefined,
  ): Promise<T | undefined> {
    if (this.#hasEnded) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const finish = (value: T | undefined): void => {
        clearTimeout(limit);
        this.#listeners.delete(listener);
        resolve(value);
      };
      const listener = (message: GuardianToHost | undefined): void => {
        const picked = message === undefined ? undefined : pick(message);
        if (message === undefined || picked !== undefined) {
          finish(picked);
        }
      };
      const limit = setTimeout(() => finish(undefined), limitMs);
      this.#listeners.add(listener);
    });
  }

  #receive(message: unknown): void {
    if (!isGuardianToHost(message)) {
      return;
    }
    if (message.type === 'log') {
      this.#log(message.line);
    }
    if (message.type === 'ended') {
      this.#log(`PostgreSQL ended on its own, start again to get it back:\n${message.output}`);
    }
    for (const listener of [...this.#listeners]) {
      listener(message);
    }
  }

  #end(): void {
    this.#hasEnded = true;
    for (const listener of [...this.#listeners]) {
      listener(undefined);
    }
  }
}

/** The user's `NODE_OPTIONS` are for the app: the guardian needs no inspector and no loader. */
function withoutNodeOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = env;
  return rest;
}
