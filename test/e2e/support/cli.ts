import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { DevEvent } from '../../../src/protocol/events.ts';
import { cleanEnv } from './clean-env.ts';
import { forgetGroup, signalGroup, survivorsOf, trackGroup } from './process-groups.ts';
import { CLI } from './repository.ts';
import { GiveUp, until } from './until.ts';

export type UpdateEvent = Extract<DevEvent, { event: 'update' }>;

export interface CliOptions {
  cwd: string;
  env?: Record<string, string>;
  /** @default the CLI of this repository */
  cli?: string;
}

export interface CliEnd {
  code: number | null;
  stdout: string;
  stderr: string;
  ms: number;
  /** Command lines of the processes in its group that outlived it. */
  survivors: string[];
}

/** A Medusa boots in five seconds; a busy machine takes four times that. */
const READY_WAIT_MS = 120_000;
const END_WAIT_MS = 30_000;

/** The command as a person types it, without further arguments or variables, in a process group of its own. */
export class CliRun {
  readonly #process: ChildProcess;
  readonly #startedAt: number = performance.now();
  readonly #ended: Promise<unknown>;
  #stdout = '';
  #stderr = '';
  #ms = 0;

  constructor(args: string[], { cwd, env, cli = CLI }: CliOptions) {
    this.#process = spawn(process.execPath, [cli, ...args], {
      cwd,
      env: cleanEnv(env),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    trackGroup(this.#pid);
    this.#process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stdout += chunk;
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk;
    });
    this.#process.once('exit', () => {
      this.#ms = performance.now() - this.#startedAt;
    });
    this.#ended = once(this.#process, 'close');
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** All of stdout and stderr, without colours. */
  get output(): string {
    return stripVTControlCharacters(`${this.#stdout}${this.#stderr}`);
  }

  /** The events that `--json` has printed so far. */
  get events(): DevEvent[] {
    const lines = this.#stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as DevEvent);
  }

  /** Waits for the first event of a kind after a mark, which is a number of events. */
  async event<T extends DevEvent['event']>(
    name: T,
    mark = 0,
  ): Promise<Extract<DevEvent, { event: T }>> {
    const found = await until(
      () => {
        this.#assertAlive();
        return this.events.slice(mark).find(({ event }) => event === name) ?? this.output;
      },
      (value) => typeof value === 'object',
      READY_WAIT_MS,
    );
    return found as Extract<DevEvent, { event: T }>;
  }

  /** Calls `save`, and waits for the update that names the file. */
  async update(file: string, save: () => void): Promise<UpdateEvent> {
    const mark = this.events.length;
    save();
    const found = await until(
      () => {
        this.#assertAlive();
        return this.events
          .slice(mark)
          .find((event) => event.event === 'update' && event.files.includes(file));
      },
      (event) => event !== undefined,
      READY_WAIT_MS,
    );
    return found as UpdateEvent;
  }

  /** Waits until the command ends by itself. */
  async ends(): Promise<CliEnd> {
    await Promise.race([this.#ended, delay(END_WAIT_MS, undefined, { ref: false })]);
    if (!this.hasEnded) {
      await this.#kill();
      throw new Error(`It did not end within ${END_WAIT_MS} ms:\n${this.output}`);
    }
    const survivors = await survivorsOf(this.#pid);
    await this.#kill();
    return {
      code: this.#process.exitCode,
      stdout: this.#stdout,
      stderr: this.#stderr,
      ms: this.#ms,
      survivors,
    };
  }

  /** Asks the command to end. @throws if it left processes running */
  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    const { survivors } = await this.ends();
    if (survivors.length > 0) {
      throw new Error(`It left running: ${survivors.join(', ')}\n${this.output}`);
    }
  }

  get #pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) {
      throw new Error('The command could not be started.');
    }
    return pid;
  }

  async #kill(): Promise<void> {
    signalGroup(this.#pid, 'SIGKILL');
    await this.#ended;
    forgetGroup(this.#pid);
  }

  #assertAlive(): void {
    if (this.hasEnded) {
      throw new GiveUp(`It ended:\n${this.output}`);
    }
  }
}
