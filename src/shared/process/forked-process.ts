import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createDeferred } from '../deferred.ts';
import { killTree } from './kill-tree.ts';
import { Link, type Message, type MessageHandlers } from './link.ts';
import type { ProcessExit } from './process-exit.ts';

export interface ForkOptions {
  /** A module of this package. */
  file: URL;
  cwd: string;
  /** The complete environment; nothing else is inherited. */
  env: NodeJS.ProcessEnv;
  /** Arguments for Node itself. @default none, not even those of this process, such as `--inspect` */
  nodeArgs?: string[];
  /** One of them is `ipc`, for the link. */
  stdio: StdioOptions;
  /** Whether the process has its own process group, and on Windows its own console. */
  isDetached?: boolean;
  /** Whether a kill spares the processes that it has started, on Windows as well. */
  isKilledAlone?: boolean;
  /** Called with its output on stderr, if that is a pipe. */
  onStderr?(data: Buffer): void;
}

export interface ForkedExit extends ProcessExit {
  /** The end of its output on stderr. */
  stderr: string;
  /** Set if the process could not start at all. */
  error?: Error;
}

/** The last words of a process are in the pipe when it dies; processes that it started may keep the pipe open. */
const LAST_WORDS_WAIT_MS = 250;
const STDERR_TAIL_CHARS = 4_000;

/** A process of this package, from fork to exit, and the link to it. */
export class ForkedProcess<Sends extends Message, Receives extends Message, Replies> {
  readonly process: ChildProcess;
  readonly link: Link<Sends, Receives, Replies>;
  /** Settles when the process has exited and its last words are read; then the link closes. */
  readonly exited: Promise<ForkedExit>;
  readonly #isKilledAlone: boolean;
  #stderr = '';
  #isAlive = true;
  #isKilled = false;

  constructor(options: ForkOptions, handlers: MessageHandlers<Receives, Replies>) {
    const { file, cwd, env, nodeArgs = [], stdio, isDetached = false, onStderr } = options;
    this.#isKilledAlone = options.isKilledAlone ?? false;
    this.process = fork(fileURLToPath(file), [], {
      cwd,
      env,
      execArgv: nodeArgs,
      stdio,
      detached: isDetached,
    });
    this.link = new Link(this.process, handlers);
    this.process.stderr?.on('data', (data: Buffer) => {
      onStderr?.(data);
      this.#stderr = (this.#stderr + data.toString('utf8')).slice(-STDERR_TAIL_CHARS);
    });
    this.exited = this.#watchExit();
    void this.exited.then(() => this.link.close());
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Whether this side has killed it. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** The pipe to this file descriptor of the process. */
  pipe(fd: number): Duplex | undefined {
    // Node makes none for a process that it could not start.
    return (this.process.stdio as (Duplex | undefined)[] | undefined)?.[fd];
  }

  /** This process may end from now on while that one runs. */
  unref(): void {
    this.process.unref();
    this.process.channel?.unref();
  }

  /** Closes the channel of the link. */
  disconnect(): void {
    if (this.process.connected) {
      this.process.disconnect();
    }
  }

  /** Asks the process to end, and kills it when that takes longer than the limit. */
  async stop(ask: () => void, limitMs: number): Promise<ForkedExit> {
    if (this.#isAlive) {
      // Keeps this process from ending before.
      this.process.ref();
      ask();
      const limit = setTimeout(() => this.kill(), limitMs);
      void this.exited.then(() => clearTimeout(limit));
    }
    return this.exited;
  }

  kill(): void {
    if (!this.#isAlive || this.#isKilled) {
      return;
    }
    this.#isKilled = true;
    if (this.#isKilledAlone) {
      this.process.kill('SIGKILL');
    } else {
      killTree(this.process);
    }
  }

  #watchExit(): Promise<ForkedExit> {
    const { promise, resolve } = createDeferred<ForkedExit>();
    const { stderr } = this.process;
    this.process.once('exit', (code, signal) => {
      this.#isAlive = false;
      const settle = () => resolve({ code, signal, stderr: this.#stderr });
      if (code === 0 || !stderr || stderr.closed) {
        settle();
      } else {
        stderr.once('close', settle);
        setTimeout(settle, LAST_WORDS_WAIT_MS);
      }
    });
    this.process.on('error', (error) => {
      if (this.process.pid === undefined) {
        // No `exit` will come.
        this.#isAlive = false;
        resolve({ code: null, signal: null, stderr: this.#stderr, error });
      }
    });
    return promise;
  }
}
