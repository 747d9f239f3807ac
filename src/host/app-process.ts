import { type ChildProcess, fork } from 'node:child_process';
import type { Duplex } from 'node:stream';
import {
  CHILD_OPTIONS_ENV,
  type ChildOptions,
  type ChildToHost,
  type FlagSource,
  type HostToChild,
  type LoadedReport,
  type ReloadOutcome,
  type ReloadPlan,
} from '../protocol/messages.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import { createDeferred } from './deferred.ts';

export interface AppProcessOptions {
  child: ChildOptions;
  /** The complete environment; nothing else is inherited. */
  env: NodeJS.ProcessEnv;
  nodeArgs: string[];
  /** Whether the app's own stdout goes to our stderr, because stdout carries JSON. */
  isStdoutTaken: boolean;
  servePipe(pipe: Duplex): void;
  onLoaded(report: LoadedReport): void;
}

export interface AppExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines that the app wrote to stderr. */
  stderr: string;
}

/** The app could not get ready. */
export class BootError extends Error {
  override readonly name = 'BootError';
  readonly reason: SerializedError;

  constructor(reason: SerializedError) {
    super(reason.message);
    this.reason = reason;
  }
}

/** A reload of the largest app we measured takes under 2 s; more than this means that the app hangs. */
const RELOAD_LIMIT_MS = 20_000;
/** From the request to stop until SIGKILL, as `tsx watch` and users expect. */
const STOP_LIMIT_MS = 5_000;
const STDERR_TAIL_CHARS = 4_000;

/** One run of the app: a child process, from fork to exit. */
export class AppProcess {
  readonly process: ChildProcess;
  /** Settles when Medusa is loaded and the config evaluated. @throws BootError */
  readonly prepared: Promise<FlagSource>;
  /** Settles when the app serves. @throws BootError */
  readonly ready: Promise<void>;
  readonly exited: Promise<AppExit>;
  readonly #waiting = new Map<number, (outcome: ReloadOutcome) => void>();
  #nextId = 1;
  #stderr = '';
  #hasExited = false;

  constructor(options: AppProcessOptions) {
    const { env, nodeArgs, isStdoutTaken, servePipe, onLoaded } = options;
    const isSource = import.meta.url.endsWith('.ts');
    const entry = new URL(isSource ? '../child/main.ts' : '../child/main.js', import.meta.url);
    this.process = fork(entry, [], {
      cwd: options.child.root,
      env: { ...env, [CHILD_OPTIONS_ENV]: JSON.stringify(options.child) },
      execArgv: nodeArgs,
      stdio: ['ignore', isStdoutTaken ? 2 : 'inherit', 'pipe', 'ipc', 'pipe'],
    });
    servePipe(this.process.stdio[4] as Duplex);
    this.process.stderr?.on('data', (data: Buffer) => {
      process.stderr.write(data);
      this.#stderr = (this.#stderr + data.toString('utf8')).slice(-STDERR_TAIL_CHARS);
    });

    const prepared = createDeferred<FlagSource>();
    const ready = createDeferred<void>();
    const exited = createDeferred<AppExit>();
    this.prepared = prepared.promise;
    this.ready = ready.promise;
    this.exited = exited.promise;
    // Who does not wait for one of them is told by the other.
    this.prepared.catch(() => {});
    this.ready.catch(() => {});

    const fail = (error: SerializedError) => {
      const reason = new BootError(error);
      prepared.reject(reason);
      ready.reject(reason);
    };
    this.process.on('message', (message: ChildToHost) => {
      switch (message.type) {
        case 'prepared':
          return prepared.resolve(message.backendHmr);
        case 'ready':
          return ready.resolve();
        case 'boot-failed':
          return fail(message.error);
        case 'hmr-result':
          this.#waiting.get(message.id)?.(message.outcome);
          this.#waiting.delete(message.id);
          return;
        case 'loaded':
          return onLoaded(message.loaded);
        default:
          return;
      }
    });
    this.process.on('error', (error) => fail({ name: error.name, message: error.message }));
    this.process.on('exit', (code, signal) => {
      this.#hasExited = true;
      const exit = { code, signal, stderr: this.#stderr };
      fail({ name: 'Error', message: `The app exited ${describeExit(exit)} before it was ready.` });
      for (const settle of this.#waiting.values()) {
        settle({ type: 'restart-needed', reason: `the app exited ${describeExit(exit)}` });
      }
      this.#waiting.clear();
      exited.resolve(exit);
    });
  }

  get isAlive(): boolean {
    return !this.#hasExited;
  }

  start(): void {
    this.send({ type: 'start' });
  }

  send(message: HostToChild): void {
    // A child that is gone is noticed by its exit.
    this.process.send?.(message, () => {});
  }

  reload(plan: ReloadPlan): Promise<ReloadOutcome> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve({
          type: 'restart-needed',
          reason: `the app did not answer within ${RELOAD_LIMIT_MS / 1000} s`,
        });
      }, RELOAD_LIMIT_MS);
      this.#waiting.set(id, (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      });
      this.send({ type: 'hmr-reload', id, plan });
    });
  }

  /** Asks the app to finish its requests and exit, and ends it if that takes too long. */
  async stop(): Promise<AppExit> {
    if (this.isAlive) {
      this.send({ type: 'shutdown' });
      const timer = setTimeout(() => this.kill(), STOP_LIMIT_MS);
      await this.exited;
      clearTimeout(timer);
    }
    return this.exited;
  }

  kill(): void {
    if (this.isAlive) {
      this.process.kill('SIGKILL');
    }
  }
}

export function describeExit({ code, signal }: Pick<AppExit, 'code' | 'signal'>): string {
  return signal ? `by ${signal}` : `with code ${code}`;
}
