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
  /** Arguments for Node itself. @default none: those of this process, such as `--inspect`, are its own */
  nodeArgs?: string[];
  /** With one `ipc` among them, for the link. */
  stdio: StdioOptions;
  /** Whether it has a process group, and on Windows a console, of its own. */
  isDetached?: boolean;
  /** Whether what it has started outlives a kill, on Windows as well. */
  isKilledAlone?: boolean;
  /** Called with what it writes to stderr, if that is a pipe. */
  onStderr?(data: Buffer): void;
}

export interface ForkedExit extends ProcessExit {
  /** The last that it wrote to stderr. */
  stderr: string;
  /** Set if it could not be started at all. */
  error?: Error;
}

/** The last words of a process are in the pipe already when it dies; its own children may hold that open for ever. */
const LAST_WORDS_WAIT_MS = 250;
const STDERR_TAIL_CHARS = 4_000;

/** A process of ours, from fork to exit, and the link to it. */
export class ForkedProcess<Sends extends Message, Receives extends Message, Replies> {
  /** Node's own view of it. */
  readonly process: ChildProcess;
  readonly link: Link<Sends, Receives, Replies>;
  /** Settles when it has exited and its last words were read; then the link is closed. */
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

  /** Whether it was this side that has ended it. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** The pipe that it has as this file descriptor. */
  pipe(fd: number): Duplex | undefined {
    // Node makes none for a process that it could not start.
    return (this.process.stdio as (Duplex | undefined)[] | undefined)?.[fd];
  }

  /** From now on it does not keep this process from ending. */
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

  /** Asks it to end, in the way that is given, and kills it when that takes longer than the limit. */
  async stop(ask: () => void, limitMs: number): Promise<ForkedExit> {
    if (this.#isAlive) {
      // This process, if it ends as well, waits for that.
      this.process.ref();
      ask();
      const limit = setTimeout(() => this.kill(), limitMs);
      void this.exited.then(() => clearTimeout(limit));
    }
    return this.exited;
  }

  /** Ends it at once. */
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
