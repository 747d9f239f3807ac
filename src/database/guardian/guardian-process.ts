import { extname } from 'node:path';
import { MedusaViteError } from '../../shared/failure.ts';
import { ForkedProcess } from '../../shared/process/forked-process.ts';
import { DATABASE_FOLDER_NAME, resolveDatabaseFolder } from '../database-folder.ts';
import { resolvePostgresPackage } from '../server/postgres-package.ts';
import { stopOrphan } from '../server/postmaster-stop.ts';
import type { ProgramEnd } from '../server/program-run.ts';
import type {
  GuardedProgram,
  GuardianReplies,
  GuardianToHost,
  HostToGuardian,
  StartedPostgres,
} from './guardian-messages.ts';

/** A source file in unit tests, and built everywhere else, as this file is. */
const GUARDIAN_FILE = new URL(`./guardian${extname(import.meta.url)}`, import.meta.url);
/** The guardian's own limits (lock, `initdb`, recovery) come first; this one is for a hung guardian. */
const START_WAIT_MS = 120_000;
/** The guardian kills PostgreSQL after five seconds. */
const STOP_WAIT_MS = 8000;

/** The guardian, as the host sees it. */
export class GuardianProcess {
  readonly #forked: ForkedProcess<HostToGuardian, GuardianToHost, GuardianReplies>;
  readonly #root: string;
  /** Set by the first `stop`. */
  #stopping: Promise<void> | undefined;
  /** Set by the answer to `start`. */
  #postgresPid: number | undefined;

  constructor(root: string, log: (line: string) => void) {
    this.#root = root;
    this.#forked = new ForkedProcess(
      {
        file: GUARDIAN_FILE,
        cwd: root,
        env: withoutNodeOptions(process.env),
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        // Out of the terminal's foreground group: Ctrl-C must not end the database before the app.
        isDetached: true,
        // PostgreSQL outlives a kill, and is shut down in order.
        isKilledAlone: true,
      },
      {
        log: ({ line }) => log(line),
        ended: ({ output }) =>
          log(`PostgreSQL ended on its own, start again to get it back:\n${output}`),
      },
    );
  }

  async start(): Promise<StartedPostgres> {
    const reply = await this.#forked.link.request(
      { type: 'start', root: this.#root },
      { limitMs: START_WAIT_MS },
    );
    if (reply === undefined) {
      throw new MedusaViteError('The process that keeps the database ended, or gave no answer.', {
        code: 'DATABASE_START_FAILED',
        hint: `Look into \`${DATABASE_FOLDER_NAME}/postgres.log\`, or set \`DATABASE_URL\`.`,
      });
    }
    if (reply.type === 'failed') {
      const { code, hint } = reply;
      throw new MedusaViteError(reply.message, {
        ...(code !== undefined && { code }),
        ...(hint !== undefined && { hint }),
      });
    }
    this.#postgresPid = reply.pid;
    // From here on the guardian follows the host; it must not keep a finished host alive.
    this.#forked.unref();
    return reply;
  }

  async run(program: GuardedProgram): Promise<ProgramEnd> {
    const reply = await this.#forked.link.request(
      { type: 'run', program },
      { limitMs: program.limitMs + STOP_WAIT_MS },
    );
    return reply?.end ?? { code: null, signal: null, output: 'The database was stopped.' };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const askToStop = () => void this.#forked.link.send({ type: 'stop' });
    const { code } = await this.#forked.stop(askToStop, STOP_WAIT_MS);
    // A guardian that did not end in order leaves PostgreSQL running.
    if (code === 0 || this.#postgresPid === undefined) {
      return;
    }
    const folder = resolveDatabaseFolder(this.#root);
    const binaries = await resolvePostgresPackage(this.#root);
    await stopOrphan(this.#postgresPid, { folder, binaries });
  }
}

/** The user's `NODE_OPTIONS` are for the app: the guardian needs no inspector and no loader. */
function withoutNodeOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = env;
  return rest;
}
