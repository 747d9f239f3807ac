import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { cleanEnv } from './clean-env.ts';
import { processTree } from './processes.ts';
import { CLI } from './repository.ts';
import { until } from './until.ts';

/** Linux' `script` gives a program a terminal of its own; the `script` of other systems takes other arguments. */
export const HAS_TERMINAL: boolean = process.platform === 'linux';

const START_WAIT_MS = 90_000;

/** The command in a terminal, with a person who types. */
export class Terminal {
  readonly #script: ChildProcess;
  #output = '';

  constructor({ cwd, env }: { cwd: string; env: Record<string, string> }) {
    const command = `exec "${process.execPath}" "${CLI}" dev -p 0`;
    this.#script = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd,
      env: cleanEnv({ TERM: 'xterm', SHELL: '/bin/sh', ...env }),
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    this.#script.stdin?.on('error', () => {});
    this.#script.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#output += chunk;
    });
  }

  /** The output as it came, with the sequences that move the cursor. */
  get rawOutput(): string {
    return this.#output;
  }

  get output(): string {
    return stripVTControlCharacters(this.#output);
  }

  /** Ids of all processes in the terminal. */
  get pids(): number[] {
    return processTree(this.#script.pid ?? 0).slice(1);
  }

  get exitCode(): number | null {
    return this.#script.exitCode;
  }

  /** Waits for a text in the output after a position. */
  async prints(text: string | RegExp, since = 0): Promise<void> {
    await until(
      () => this.output.slice(since),
      (output) => (typeof text === 'string' ? output.includes(text) : text.test(output)),
      START_WAIT_MS,
    );
  }

  /** Types a line, and waits for the answer. */
  async type(line: string, answer: string | RegExp): Promise<void> {
    const since = this.output.length;
    this.#script.stdin?.write(`${line}\n`);
    await this.prints(answer, since);
  }

  /** Types without waiting for an answer. */
  press(line: string): void {
    this.#script.stdin?.write(line);
  }

  /** Ends the terminal, as a closed window does. */
  async close(): Promise<void> {
    if (this.#script.exitCode === null && this.#script.signalCode === null) {
      const exit = once(this.#script, 'exit');
      this.#script.kill('SIGKILL');
      await exit;
    }
  }
}
