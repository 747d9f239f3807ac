import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface HostEvent {
  readonly event: 'log' | 'ready' | 'rows' | 'failed' | 'interrupted';
  readonly [field: string]: unknown;
}

const DRIVER = fileURLToPath(new URL('./host-driver.mjs', import.meta.url));
const EVENT_WAIT_MS = 50_000;
const POLL_MS = 25;

/** A host in a process of its own, and in a process group of its own like that of a terminal. */
export class HostProcess {
  readonly #child: ChildProcess;
  readonly events: HostEvent[] = [];

  constructor(root: string, ids: { uid?: number; gid?: number } = {}) {
    this.#child = spawn(process.execPath, [DRIVER, root], {
      ...ids,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (this.#child.stdout === null) throw new Error('the driver has no stdout');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as HostEvent);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async next(event: HostEvent['event']): Promise<HostEvent> {
    const found = await until(
      () => this.events.findIndex((candidate) => candidate.event === event),
      (index) => index >= 0,
      { limitMs: EVENT_WAIT_MS, describe: () => JSON.stringify(this.events) },
    );
    const [taken] = this.events.splice(found, 1);
    if (taken === undefined) throw new Error(`no event ${event}`);
    return taken;
  }

  async query(text: string): Promise<unknown> {
    this.send({ type: 'query', text });
    return (await this.next('rows')).rows;
  }

  send(command: object): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  interruptGroup(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const exit = once(this.#child, 'exit');
    this.send({ type: 'stop' });
    await exit;
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

/** Processes that work in the project or in its data: the guardian, PostgreSQL, what they run. */
export function processesIn(root: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const at = linkOf(`/proc/${pid}/cwd`);
      // An `initdb` works in `/`, and names the project.
      return at === root || at.startsWith(`${root}/`) || commandOf(pid).includes(`${root}/`);
    })
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

export async function untilNoneIn(root: string, limitMs: number): Promise<void> {
  await until(
    () => processesIn(root),
    (left) => left.length === 0,
    {
      limitMs,
      describe: (left) => left.map((pid) => `${pid} ${commandOf(String(pid))}`).join('; '),
    },
  );
}

export async function until<T>(
  read: () => T,
  isDone: (value: T) => boolean,
  { limitMs, describe }: { limitMs: number; describe: (value: T) => string },
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = read();
    if (isDone(value)) return value;
    if (Date.now() > end)
      throw new Error(`not within ${limitMs} ms, last seen: ${describe(value)}`);
    await wait(POLL_MS);
  }
}

export function pidIn(root: string, file: 'lock' | 'data/postmaster.pid'): number {
  const text = readFileSync(join(root, '.medusa/postgres', file), 'utf8');
  const pid = /^(?:\{"pid":)?(\d+)/.exec(text)?.[1];
  if (pid === undefined) throw new Error(`no process in ${file}: ${text}`);
  return Number(pid);
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    // A zombie has no working directory: nothing of it is left.
    return '';
  }
}

export function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
