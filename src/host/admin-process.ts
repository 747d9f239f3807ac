import { type ChildProcess, fork } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { AdminAddress, AdminRequest, AdminToHost, HostToAdmin } from '../protocol/admin.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import { BootError, describeExit } from './app-process.ts';
import { createDeferred } from './deferred.ts';

export interface AdminProcessOptions {
  root: string;
  request: AdminRequest;
  hmrPort: number | undefined;
  /** Whether its stdout goes to our stderr, because stdout carries JSON. */
  isStdoutTaken: boolean;
  servePipe(pipe: Duplex): void;
  onNative(file: string): void;
}

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
  #stderr = '';

  constructor(options: AdminProcessOptions) {
    const { root, hmrPort, isStdoutTaken, servePipe, onNative } = options;
    const { env, ...request } = options.request;
    const isSource = import.meta.url.endsWith('.ts');
    const entry = new URL(isSource ? '../admin/main.ts' : '../admin/main.js', import.meta.url);
    this.#process = fork(entry, [], {
      cwd: root,
      env,
      execArgv: [],
      stdio: ['ignore', isStdoutTaken ? 2 : 'inherit', 'pipe', 'ipc', 'pipe', 'pipe'],
    });
    const [, , , , pipe, lifeline] = this.#process.stdio as (Duplex | null)[];
    if (pipe) {
      servePipe(pipe);
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
          return onNative(message.file);
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
    const message: HostToAdmin = { type: 'start', root, request, hmrPort };
    this.#process.send(message, () => {});
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    const limit = setTimeout(() => this.kill(), STOP_LIMIT_MS);
    await this.exited;
    clearTimeout(limit);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
