import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { DevEvent } from '../src/protocol/events.ts';
import { cleanEnv } from '../test/e2e/support/clean-env.ts';
import { freePort } from '../test/e2e/support/ports.ts';
import { forgetGroup, signalGroup, trackGroup } from '../test/e2e/support/process-groups.ts';
import { processTree } from '../test/e2e/support/processes.ts';
import { HttpClient } from './http-client.ts';

export type ServerName = 'develop' | 'hmr' | 'vite';

/** The name of each server in tables. */
export const SERVER_TITLES: Record<ServerName, string> = {
  develop: '`medusa develop`',
  hmr: '`medusa develop` with `backend_hmr`',
  vite: '`medusa-vite dev`',
};

export interface BenchServerOptions {
  name: ServerName;
  /** Absolute path. */
  root: string;
  databaseUrl: string;
  /** CLI of medusa-vite. */
  cli: string;
  env?: Record<string, string>;
  args?: string[];
}

export interface Memory {
  /** Resident memory of the command itself, in MB. */
  hostMb: number;
  /** Memory of the process that runs Medusa. */
  appMb: number;
  /** Memory of all other processes of the command. */
  othersMb: number;
}

const BOOT_LIMIT_MS = 180_000;
const BOOT_POLL_MS = 10;
/** A graceful stop waits for requests in flight, of which there are none. */
const STOP_LIMIT_MS = 10_000;
const LOG_TAIL_CHARS = 4_000;

/** One of the three dev servers, in a process group of its own; its log goes to a file. */
export class BenchServer {
  readonly name: ServerName;
  readonly http: HttpClient;
  readonly events: DevEvent[] = [];
  readonly #process: ChildProcess;
  readonly #log: string;
  readonly #startedAt: number = performance.now();
  /** From the start of the command to the first answer. */
  bootMs = 0;

  private constructor(options: BenchServerOptions, port: number) {
    const { name, root, databaseUrl, cli, env, args = [] } = options;
    this.name = name;
    this.http = new HttpClient(port);
    this.#log = join(tmpdir(), `medusa-vite-bench-${process.pid}-${name}.log`);
    const log = openSync(this.#log, 'w');
    const isOurs = name === 'vite';
    const medusa = () => createRequire(join(root, 'package.json')).resolve('@medusajs/cli/cli.js');
    const command = isOurs ? [cli, 'dev', '--json'] : [medusa(), 'develop'];
    this.#process = spawn(process.execPath, [...command, '-p', String(port), ...args], {
      cwd: root,
      env: cleanEnv({
        DATABASE_URL: databaseUrl,
        MEDUSA_FF_BACKEND_HMR: String(name !== 'develop'),
        ...env,
      }),
      detached: true,
      stdio: ['ignore', isOurs ? 'pipe' : log, log],
    });
    closeSync(log);
    trackGroup(this.pid);
    const { stdout } = this.#process;
    if (stdout) {
      createInterface(stdout).on('line', (line) => {
        this.events.push(JSON.parse(line) as DevEvent);
      });
    }
  }

  /** Resolves with the first 200 of `path`. */
  static async start(options: BenchServerOptions, path = '/ping'): Promise<BenchServer> {
    const server = new BenchServer(options, await freePort());
    try {
      await server.#answers(path);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) {
      throw new Error('The command could not be started.');
    }
    return pid;
  }

  /** The end of the log, to explain a failure. */
  get logTail(): string {
    return readFileSync(this.#log, 'utf8').slice(-LOG_TAIL_CHARS);
  }

  /** The first update since a mark that names the file. */
  update(since: number, file: string): Extract<DevEvent, { event: 'update' }> | undefined {
    return this.events
      .slice(since)
      .filter((event) => event.event === 'update')
      .find((event) => event.files.includes(file));
  }

  memory(): Memory {
    const [host = 0, ...others] = processTree(this.pid);
    const ready = this.events.findLast((event) => event.event === 'ready');
    // Medusa's own command starts one process; ours reports the app's, unless it was restarted since.
    const app = others.find((pid) => pid === ready?.pid) ?? others[0] ?? 0;
    const rest = others.filter((pid) => pid !== app);
    return {
      hostMb: residentMb(host),
      appMb: residentMb(app),
      othersMb: rest.reduce((sum, pid) => sum + residentMb(pid), 0),
    };
  }

  async stop(): Promise<void> {
    this.http.close();
    const hasEnded = () => this.#process.exitCode !== null || this.#process.signalCode !== null;
    if (this.name === 'vite' && !hasEnded()) {
      const exit = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await Promise.race([exit, delay(STOP_LIMIT_MS, undefined, { ref: false })]);
    }
    // Medusa's own command leaves its process behind when it is asked to end.
    signalGroup(this.pid, 'SIGKILL');
    while (signalGroup(this.pid, 0)) {
      await delay(BOOT_POLL_MS);
    }
    forgetGroup(this.pid);
  }

  async #answers(path: string): Promise<void> {
    const deadline = performance.now() + BOOT_LIMIT_MS;
    for (;;) {
      const { status } = await this.http.get(path);
      this.bootMs = performance.now() - this.#startedAt;
      if (status === 200) {
        return;
      }
      if (this.#process.exitCode !== null || performance.now() > deadline) {
        throw new Error(`${SERVER_TITLES[this.name]} did not come up:\n${this.logTail}`);
      }
      await delay(BOOT_POLL_MS);
    }
  }
}

function residentMb(pid: number): number {
  try {
    const rss = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return Math.round(Number(rss) / 1024);
  } catch {
    return 0;
  }
}
