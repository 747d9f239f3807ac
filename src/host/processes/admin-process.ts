import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { AdminAddress, AdminRequest, AdminToHost, HostToAdmin } from '../../protocol/admin.ts';
import { createDeferred } from '../../shared/deferred.ts';
import { killTree } from '../../shared/kill-tree.ts';
import { describeExit } from '../../shared/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import type { Transformer } from '../../vite/transformer.ts';
import { AppModules } from './app-modules.ts';
import { BootError } from './app-process.ts';

export interface AdminProcessOptions {
  root: string;
  transformer: Transformer;
  /** Whether its stdout goes to our stderr, because stdout carries JSON. */
  isStdoutTaken: boolean;
  request: AdminRequest;
  /** Of the HMR socket, to keep; unset if browsers know of none yet. */
  hmrPort: number | undefined;
}

/** A second or two; longer on a machine that does a lot besides. The app's requests wait a little longer. */
const START_LIMIT_MS = 50_000;
/** It has nothing to finish: only an endless loop takes longer. */
const STOP_LIMIT_MS = 1_000;
const STDERR_TAIL_CHARS = 2_000;

/** One run of the admin: a process with the Vite of Medusa's dashboard. */
export class AdminProcess {
  /** Settles when it serves. @throws BootError */
  readonly ready: Promise<AdminAddress>;
  /** Settles with the reason. */
  readonly exited: Promise<SerializedError>;
  readonly #process: ChildProcess;
  /** What it has loaded to evaluate the config; nothing if it has not. */
  readonly #modules: AppModules;
  /** The same for what Node has loaded, with the digest of the content. */
  readonly #natives = new Map<string, string>();
  #stderr = '';

  constructor(options: AdminProcessOptions) {
    const { root, transformer, hmrPort, isStdoutTaken } = options;
    const { env, ...request } = options.request;
    this.#process = fork(new URL('../../admin/main.js', import.meta.url), [], {
      cwd: root,
      env,
      execArgv: [],
      stdio: ['ignore', isStdoutTaken ? 2 : 'inherit', 'pipe', 'ipc', 'pipe', 'pipe'],
    });
    const [, , , , pipe, lifeline] = this.#process.stdio as (Duplex | null)[];
    this.#modules = new AppModules(transformer);
    if (pipe) {
      this.#modules.serve(pipe);
    }
    lifeline?.on('error', () => {}).resume();
    this.#process.stderr?.on('data', (data: Buffer) => {
      process.stderr.write(data);
      this.#stderr = (this.#stderr + data.toString('utf8')).slice(-STDERR_TAIL_CHARS);
    });

    const ready = createDeferred<AdminAddress>();
    const exited = createDeferred<SerializedError>();
    this.ready = ready.promise;
    this.exited = exited.promise;
    this.ready.catch(() => {});
    this.#process.on('message', (message: AdminToHost) => {
      switch (message.type) {
        case 'ready':
          return ready.resolve(message.address);
        case 'failed':
          return ready.reject(new BootError(message.error));
        case 'native':
          this.#natives.set(message.file, digest(message.file));
          return;
        default:
          return;
      }
    });
    const end = (how: string): void => {
      const lines = this.#stderr.trim();
      const message = `The admin exited ${how}.${lines ? `\n${lines}` : ''}`;
      const reason = { name: 'Error', message };
      ready.reject(new BootError(reason));
      exited.resolve(reason);
    };
    this.#process.on('exit', (code, signal) => end(describeExit({ code, signal })));
    this.#process.on('error', (error) => {
      if (this.#process.pid === undefined) {
        // It was never started: no `exit` will come.
        end(`before it was started: ${error.message}`);
      }
    });
    const limit = setTimeout(() => {
      const message = 'The admin does not answer, as in an endless loop.';
      ready.reject(new BootError({ name: 'Error', message }));
      this.kill();
    }, START_LIMIT_MS).unref();
    const calm = (): void => clearTimeout(limit);
    this.ready.then(calm, calm);
    const message: HostToAdmin = { type: 'start', root, request, hmrPort };
    this.#process.send(message, () => {});
  }

  /** Whether the config may now give it other functions than it has. */
  async isOutdated(): Promise<boolean> {
    const isNativeChanged = [...this.#natives].some(([file, content]) => digest(file) !== content);
    return isNativeChanged || this.#modules.isOutdated();
  }

  async stop(): Promise<void> {
    // That is all it takes, on Windows too, where a signal would end it without a word.
    if (this.#process.connected) {
      this.#process.disconnect();
    }
    const limit = setTimeout(() => this.kill(), STOP_LIMIT_MS);
    await this.exited;
    clearTimeout(limit);
  }

  kill(): void {
    killTree(this.#process);
  }
}

/** Of the content of a file; empty if there is none. */
export function digest(file: string): string {
  try {
    return createHash('sha1').update(readFileSync(file)).digest('base64');
  } catch {
    return '';
  }
}
