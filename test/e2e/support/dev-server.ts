import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect, stripVTControlCharacters } from 'node:util';
import { onTestFailed } from 'vitest';
import type { DevEvent } from '../../../src/protocol/events.ts';
import { cleanEnv } from './clean-env.ts';
import { commandOf, LAUNCHER, type Launcher } from './launcher.ts';
import { forgetGroup, signalGroup, survivorsOf, trackGroup } from './process-groups.ts';
import type { Project } from './project.ts';
import { timed } from './setup-times.ts';
import { GiveUp, until } from './until.ts';

export type ReadyEvent = Extract<DevEvent, { event: 'ready' }>;
export type UpdateEvent = Extract<DevEvent, { event: 'update' }>;

export interface DevServerOptions {
  args?: string[];
  env?: Record<string, string>;
  databaseUrl: string;
  /** @default the CLI of the repository's build */
  cli?: string;
  /** @default the launcher of the test run */
  launcher?: Launcher;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The text parsed as JSON, `undefined` if it is no JSON. */
  body: unknown;
}

/** A Medusa boots in five seconds, on a busy machine in ten times that. */
const READY_WAIT_MS = 180_000;
const REQUEST_WAIT_MS = 35_000;
/** How many lines of the output an error shows if an update does not come. */
const SHOWN_LINES = 25;
/** A graceful stop waits for requests in flight. */
const STOP_WAIT_MS = 20_000;

/** Runs the backend in a process group of its own. */
export async function startDevServer(
  project: Project,
  options: DevServerOptions,
): Promise<DevServer> {
  const devServer = new DevServer(project, options);
  try {
    await timed('boot', () => devServer.waitUntilReady());
    return devServer;
  } catch (error) {
    await devServer.stop();
    throw error;
  }
}

export class DevServer {
  readonly #process: ChildProcess;
  readonly #launcher: Launcher;
  readonly #events: DevEvent[] = [];
  /** Lines on stdout that are not events: there must be none. */
  readonly #stray: string[] = [];
  #output = '';
  #hasEnded = false;

  constructor(project: Project, options: DevServerOptions) {
    const { args = [], env = {}, databaseUrl, cli, launcher = LAUNCHER } = options;
    const command = commandOf(launcher, { root: project.root, args, cli });
    this.#launcher = launcher;
    this.#process = spawn(process.execPath, command.args, {
      cwd: project.root,
      env: cleanEnv({
        DATABASE_URL: databaseUrl,
        MEDUSA_FF_BACKEND_HMR: 'true',
        ...command.env,
        ...env,
      }),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid } = this.#process;
    if (pid !== undefined) {
      trackGroup(pid);
    }
    this.#process.once('exit', () => {
      this.#hasEnded = true;
    });
    const { stdout, stderr } = this.#process;
    if (stdout) {
      createInterface(stdout).on('line', (line) => this.#read(line));
    }
    stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#output += chunk;
    });
  }

  get events(): readonly DevEvent[] {
    return this.#events;
  }

  get strayLines(): readonly string[] {
    return this.#stray;
  }

  /** The event of the start, or of the latest restart that announced itself. */
  get ready(): ReadyEvent {
    const ready = this.#events.findLast((event) => event.event === 'ready');
    if (!ready) {
      throw new Error('Expected a `ready` event by now.');
    }
    return ready;
  }

  get childPid(): number {
    return this.ready.pid;
  }

  /** Id of the host's process. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Sends a signal to the host only. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The text for people, without colours. */
  output(): string {
    return stripVTControlCharacters(this.#output);
  }

  /** Prints the output if the current test fails. */
  showOutputOnFailure(): void {
    const start = this.#output.length;
    onTestFailed(() => {
      console.error(stripVTControlCharacters(this.#output.slice(start)));
      console.error(inspect(this.#events.slice(-5), { depth: 5 }));
    });
  }

  url(path: string): string {
    return `http://localhost:${this.ready.port}${path}`;
  }

  async get(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.url(path), {
      redirect: 'manual',
      signal: AbortSignal.timeout(REQUEST_WAIT_MS),
      ...init,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parseJson(text) };
  }

  /** Marks this moment, e.g. for `updatesSince`. */
  mark(): number {
    return this.#events.length;
  }

  updatesSince(mark: number, file?: string): UpdateEvent[] {
    return this.#events
      .slice(mark)
      .filter((event) => event.event === 'update')
      .filter((event) => file === undefined || event.files.includes(file));
  }

  /** The first update after a mark that names the file. */
  async updateSince(mark: number, file: string): Promise<UpdateEvent> {
    const updates = await until(
      () => {
        this.#assertAlive();
        return this.updatesSince(mark, file);
      },
      (found) => found.length > 0,
    ).catch((cause) => {
      const seen = inspect(this.#events.slice(mark), { depth: 5 });
      const said = this.output().trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
      throw new Error(`No update named \`${file}\`. Events since: ${seen}\nSaid last:\n${said}`, {
        cause,
      });
    });
    return updates[0] as UpdateEvent;
  }

  /** The first event of a kind after a mark. */
  async eventSince<T extends DevEvent['event']>(
    mark: number,
    name: T,
  ): Promise<Extract<DevEvent, { event: T }>> {
    const found = await until(
      () => {
        this.#assertAlive();
        return this.#events.slice(mark).find(({ event }) => event === name);
      },
      (event) => event !== undefined,
    );
    return found as Extract<DevEvent, { event: T }>;
  }

  /** Calls `save`, and waits for the update that names the file. */
  async nextUpdate(file: string, save: () => void | Promise<void>): Promise<UpdateEvent> {
    const mark = this.mark();
    await save();
    return this.updateSince(mark, file);
  }

  async waitUntilReady(): Promise<void> {
    await until(
      () => {
        this.#assertAlive();
        return this.#events.some((event) => event.event === 'ready') || this.output();
      },
      (value) => value === true,
      READY_WAIT_MS,
    );
  }

  /** Ends the whole group. @throws if the CLI left processes running */
  async stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const { pid } = this.#process;
    if (pid === undefined) {
      throw new Error('The CLI could not be started.');
    }
    if (!this.#hasEnded) {
      const exit = once(this.#process, 'exit');
      process.kill(pid, 'SIGTERM');
      await Promise.race([exit, delay(STOP_WAIT_MS)]);
    }
    const isLate = !this.#hasEnded;
    const survivors = await survivorsOf(pid);
    forgetGroup(pid);
    if (isLate || survivors.length > 0) {
      signalGroup(pid, 'SIGKILL');
      const late = isLate ? ` did not end within ${STOP_WAIT_MS} ms` : '';
      const what = `${late} left running: ${survivors.join(', ')}`;
      throw new Error(`The CLI${what}:\n${this.output()}`);
    }
    return { code: this.#process.exitCode, signal: this.#process.signalCode };
  }

  #read(line: string): void {
    const event = parseJson(line);
    if (event instanceof Object && 'event' in event) {
      this.#events.push(event as DevEvent);
    } else if (this.#launcher === 'vite') {
      // Vite prints to stdout as well.
      this.#output += `${line}\n`;
    } else {
      this.#stray.push(line);
    }
  }

  #assertAlive(): void {
    if (this.#hasEnded) {
      throw new GiveUp(
        `The CLI ended (${this.#process.exitCode ?? this.#process.signalCode}):\n${this.output()}`,
      );
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
