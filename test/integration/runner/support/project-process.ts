import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { SerializedError } from '../../../../src/shared/serialized-error.ts';

/** The slowest answer measured on the 2-core machine took 3 s: the first one of ts-node. */
const ANSWER_LIMIT_MS = 50_000;

export interface ProcessOptions {
  script: string;
  root: string;
  args: string[];
}

/** A process that loads files of a project and tells what they gave. */
export class ProjectProcess {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #started: Promise<void>;
  /** Set when the process has ended. */
  #failure: Partial<SerializedError> | undefined;
  #nextId = 1;

  constructor({ script, root, args }: ProcessOptions) {
    this.#process = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
      cwd: root,
      execArgv: [],
      env: { PATH: process.env.PATH, NODE_ENV: 'development', NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    });
    this.#started = new Promise((resolve) => {
      this.#waiting.set(0, () => resolve());
    });
    this.#process.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#process.on('exit', (code, signal) => {
      const error = { message: `The process ended (${code ?? signal}).` };
      this.#failure = error;
      for (const [id, settle] of this.#waiting) {
        settle({ id, error });
      }
    });
  }

  get pipe(): Duplex {
    return this.#process.stdio[4] as Duplex;
  }

  async ask<T = unknown>(type: string, options: object = {}): Promise<T> {
    await this.#started;
    if (this.#failure) {
      throw Object.assign(new Error(this.#failure.message), this.#failure);
    }
    const id = this.#nextId++;
    const answer = await new Promise<Answer>((resolve) => {
      const timer = setTimeout(
        () => resolve({ id, error: { message: `No answer to \`${type}\`.` } }),
        ANSWER_LIMIT_MS,
      );
      this.#waiting.set(id, (received) => {
        clearTimeout(timer);
        resolve(received);
      });
      this.#process.send({ id, type, ...options });
    });
    if (answer.error) {
      throw Object.assign(new Error(answer.error.message), answer.error);
    }
    return JSON.parse(answer.json ?? 'null') as T;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exit = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exit;
    }
  }
}

interface Answer {
  id: number;
  json?: string;
  error?: Partial<SerializedError>;
}
