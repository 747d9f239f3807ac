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

/** Real processes that run the app's side of the port. */
export class ConnectionApps {
  readonly #directory: string;
  readonly #alive = new Set<ChildProcess>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** The fixture is TypeScript, which not every supported Node runs. */
  static async create(): Promise<ConnectionApps> {
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
    return new ConnectionApps(directory);
  }

  async start(
    port: number,
    environment: Record<string, string> = {},
  ): Promise<{ app: ChildProcess; ready: ReadyMessage }> {
    const options: ForkOptions = {
      env: { ...process.env, ...environment, PORT: String(port) },
      execArgv: [],
    };
    const app = fork(join(this.#directory, 'app.mjs'), options);
    this.#alive.add(app);
    app.once('exit', () => this.#alive.delete(app));
    const ready = (await messageOf(app, 'ready')) as ReadyMessage;
    return { app, ready };
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#alive].map((app) => kill(app)));
  }

  async dispose(): Promise<void> {
    await this.stopAll();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export async function messageOf(app: ChildProcess, type: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`The app exited before it sent \`${type}\`.`));
    const onMessage = (message: unknown): void => {
      if ((message as { type?: unknown }).type === type) {
        app.off('message', onMessage);
        app.off('exit', onExit);
        resolve(message);
      }
    };
    app.on('message', onMessage);
    app.once('exit', onExit);
  });
}

export async function shutDown(app: ChildProcess): Promise<void> {
  const exit = once(app, 'exit');
  app.send({ type: 'shutdown' });
  await exit;
}

/** As somebody else would; the host has nothing to do with it. */
export async function killFromOutside(app: ChildProcess): Promise<void> {
  const exit = once(app, 'exit');
  process.kill(app.pid ?? 0, 'SIGKILL');
  await exit;
}

export async function kill(app: ChildProcess): Promise<void> {
  if (app.exitCode === null && app.signalCode === null) {
    const exit = once(app, 'exit');
    app.kill('SIGKILL');
    await exit;
  }
}
