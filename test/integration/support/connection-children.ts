import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const FIXTURE = fileURLToPath(new URL('../fixtures/connection-app.ts', import.meta.url));

export interface ReadyMessage {
  type: 'ready';
  address: { port: number; address: string; family: string };
  listening: boolean;
  otherPort: number;
}

/** Real processes that run the child's side of the port. */
export class ConnectionChildren {
  readonly #directory: string;
  readonly #alive = new Set<ChildProcess>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** The fixture is TypeScript, which not every supported Node runs. */
  static async create(): Promise<ConnectionChildren> {
    const directory = await mkdtemp(join(tmpdir(), 'medusa-vite ü '));
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: FIXTURE,
        outDir: directory,
        rollupOptions: { output: { entryFileNames: 'app.mjs' } },
      },
    });
    return new ConnectionChildren(directory);
  }

  async start(
    port: number,
    environment: Record<string, string> = {},
  ): Promise<{ child: ChildProcess; ready: ReadyMessage }> {
    const options: ForkOptions = {
      env: { ...process.env, ...environment, PORT: String(port) },
      execArgv: [],
    };
    const child = fork(join(this.#directory, 'app.mjs'), options);
    this.#alive.add(child);
    child.once('exit', () => this.#alive.delete(child));
    const ready = (await messageOf(child, 'ready')) as ReadyMessage;
    return { child, ready };
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#alive].map((child) => kill(child)));
  }

  async dispose(): Promise<void> {
    await this.stopAll();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export async function messageOf(child: ChildProcess, type: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`The child exited before it sent \`${type}\`.`));
    const onMessage = (message: unknown): void => {
      if ((message as { type?: unknown }).type === type) {
        child.off('message', onMessage);
        child.off('exit', onExit);
        resolve(message);
      }
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}

export async function shutDown(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.send({ type: 'shutdown' });
  await exit;
}

/** As somebody else would; the host has nothing to do with it. */
export async function killFromOutside(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  process.kill(child.pid ?? 0, 'SIGKILL');
  await exit;
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}
