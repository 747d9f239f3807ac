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
  /** A module has called `import.meta.hot.invalidate`. */
  onInvalidate(id: string): void;
}

export interface AppExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines that the app wrote to stderr. */
  stderr: string;
}

/** The app's process is there, but does nothing any more. */
export interface Hang {
  type: 'hung';
  reason: string;
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

/** For what a module awaits at its top level, or a module's loader: only an endless wait takes longer. */
const RELOAD_LIMIT_MS = 20_000;
/** An event loop that stands still this long is in an endless loop: evaluating 1,000 modules takes 1 s. */
const HANG_LIMIT_MS = 2_500;
/** While it boots, an app stands still for seconds at a time: it loads thousands of files. */
const BOOT_HANG_LIMIT_MS = 20_000;
/** The same, when a new save is there that may be the way out. */
const IMPATIENT_BOOT_LIMIT_MS = 6_000;
const PING_INTERVAL_MS = 250;
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
  /** When the app last showed that its event loop turns; `performance.now()`. */
  #answeredAt = performance.now();
  readonly #fail: (error: SerializedError) => void;
  #stderr = '';
  #hasExited = false;
  /** Under a debugger an app may stand still for as long as it likes. */
  readonly #isWatched: boolean;

  constructor(options: AppProcessOptions) {
    const { env, nodeArgs, isStdoutTaken, servePipe, onLoaded, onInvalidate } = options;
    this.#isWatched = options.child.inspect === undefined;
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
    this.#fail = fail;
    const watchdog = setInterval(() => {
      if (this.#isHanging(BOOT_HANG_LIMIT_MS)) {
        this.#giveUp();
      }
    }, PING_INTERVAL_MS);
    const calm = () => clearInterval(watchdog);
    this.ready.then(calm, calm);
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
        case 'invalidate':
          return onInvalidate(message.id);
        case 'pong':
          this.#answeredAt = performance.now();
          return;
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

  /** Ends an app that is being brought up and stands still, so that a new save need not wait for it. */
  endIfHanging(): void {
    if (this.#isHanging(IMPATIENT_BOOT_LIMIT_MS)) {
      this.#giveUp();
    }
  }

  /** Asks the app for a sign, and judges by when it last gave one. */
  #isHanging(limitMs: number): boolean {
    this.send({ type: 'ping', id: this.#nextId++ });
    return this.#isWatched && performance.now() - this.#answeredAt > limitMs;
  }

  #giveUp(): void {
    this.#fail({ name: 'Error', message: 'The app does not answer, as in an endless loop.' });
    this.kill();
  }

  reload(plan: ReloadPlan): Promise<ReloadOutcome | Hang> {
    const id = this.#nextId++;
    const startedAt = performance.now();
    this.#answeredAt = startedAt;
    return new Promise((resolve) => {
      const settle = (outcome: ReloadOutcome | Hang) => {
        clearInterval(watchdog);
        this.#waiting.delete(id);
        resolve(outcome);
      };
      const watchdog = setInterval(() => {
        if (this.#isHanging(HANG_LIMIT_MS)) {
          settle({ type: 'hung', reason: 'the app does not answer, as in an endless loop' });
        } else if (performance.now() - startedAt > RELOAD_LIMIT_MS) {
          const reason = `the reload took longer than ${RELOAD_LIMIT_MS / 1000} s`;
          settle({ type: 'hung', reason });
        }
      }, PING_INTERVAL_MS);
      this.#waiting.set(id, settle);
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
