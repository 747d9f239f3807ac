import { isEmbeddedDatabaseInstalled, startEmbeddedDatabase } from '../database/embedded.ts';
import { migrateIfPending } from '../database/migrations.ts';
import { describeCrash, Host } from '../host/host.ts';
import { listen } from '../host/listener.ts';
import { assertMedusaProject, readDotEnv } from '../host/project.ts';
import { createJsonReporter, createTerminalReporter, type Reporter } from '../host/reporter.ts';
import { createViteServer } from '../host/vite-server.ts';
import { MedusaPackages } from '../medusa/packages.ts';
import { MedusaViteError } from '../protocol/failure.ts';
import type { SerializedError } from '../protocol/serialized-error.ts';
import { assertDatabaseReachable } from './database-check.ts';
import type { DevOptions } from './dev-options.ts';
import { parseInspect } from './inspect-option.ts';

const DEFAULT_PORT = 9000;

/** What a save cannot mend: the host ends. */
const FATAL_CODES = new Set([
  'NO_MEDUSA',
  'UNSUPPORTED_MEDUSA',
  'UNEXPECTED_MEDUSA',
  'NO_DATABASE',
]);

/** `medusa-vite dev`: runs until it is told to stop. @throws MedusaViteError if it cannot start at all. */
export async function runDev(options: DevOptions): Promise<void> {
  const startedAt = performance.now();
  const { root } = options;
  assertMedusaProject(root);
  // The app would say the same of a Medusa that is missing or too old, but only after its database was made.
  void new MedusaPackages(root);
  const reporter = createReporter(options);
  // The shell's variables, without those of `.env`: the app reads that file anew at each start.
  const shell: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: 'development' };
  const dotEnv = readDotEnv(root);
  const setting = (key: string) => shell[key] ?? dotEnv[key];

  const listener = await listen({
    root,
    port: options.port ?? parsePort(setting('PORT')),
    host: options.host ?? (setting('HOST') || undefined),
  });
  const closing: (() => Promise<void>)[] = [() => listener.close()];
  const ending = new Ending(closing);
  try {
    const env: NodeJS.ProcessEnv = { ...shell };
    const vitePromise = createViteServer({ root, pollMs: options.pollMs });
    vitePromise.catch(() => {});
    const databaseUrl = setting('DATABASE_URL');
    if (databaseUrl) {
      await assertDatabaseReachable(databaseUrl);
    } else if (isEmbeddedDatabaseInstalled(root)) {
      const log = (line: string) => reporter.info(line);
      const database = await startEmbeddedDatabase({ root, log });
      closing.unshift(() => database.stop());
      env.DATABASE_URL = database.url;
      await migrateIfPending({ root, database, env, log });
    }

    const { inspect, nodeArgs } = parseInspect(options.inspect, options.nodeArgs);
    let updates = 0;
    let isStarted = false;
    const host = new Host({
      root,
      vite: await vitePromise,
      listener,
      child: { types: options.types, inspect },
      env,
      nodeArgs,
      isStdoutTaken: options.json,
      hmr: options.hmr,
      events: {
        ready: ({ pid, isHmrOn }) =>
          reporter.ready({
            event: 'ready',
            port: listener.port,
            url: listener.url,
            pid,
            hmr: isHmrOn,
            ms: Math.round(performance.now() - startedAt),
          }),
        update: (result) => {
          updates++;
          reporter.update(updates, result);
        },
        note: (note) => reporter.info(note),
        failure: (error, headline) => {
          // At the start it is thrown below, and said once.
          if (isStarted || !isFatal(error)) {
            reporter.failure(error, headline);
          }
        },
        exit: (exit, willRestart) => {
          reporter.exit(exit.code, exit.signal);
          reporter.failure(describeCrash(exit, willRestart), 'the app ended by itself');
        },
      },
    });
    closing.unshift(() => host.close());
    ending.onForce(() => host.kill());
    const error = await host.start();
    if (error && isFatal(error)) {
      throw new MedusaViteError(error.message, { code: error.code, hint: error.hint });
    }
    isStarted = true;
  } catch (error) {
    await ending.close();
    throw error;
  }
}

/** An empty value counts as none, as for Medusa. @throws MedusaViteError */
function parsePort(value: string | undefined): number {
  if (!value) {
    return DEFAULT_PORT;
  }
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new MedusaViteError(`\`${value}\` is not a port (\`PORT\`).`, {
      code: 'USAGE',
      hint: 'Give a number from 1 to 65535, or 0 for any free port.',
    });
  }
  return Number(value);
}

function createReporter({ root, json, clearScreen }: DevOptions): Reporter {
  const color = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  return json ? createJsonReporter({ root }) : createTerminalReporter({ root, clearScreen, color });
}

function isFatal(error: SerializedError): boolean {
  return error.code !== undefined && FATAL_CODES.has(error.code);
}

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Ends everything that was started, in reverse order: once with patience, the second time at once. */
class Ending {
  readonly #closing: (() => Promise<void>)[];
  #force: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(closing: (() => Promise<void>)[]) {
    this.#closing = closing;
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (this.#closed) {
          this.#force?.();
          process.exit(EXIT_CODES[signal]);
        }
        void this.close().finally(() => process.exit(EXIT_CODES[signal]));
      });
    }
  }

  onForce(force: () => void): void {
    this.#force = force;
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      for (const close of this.#closing) {
        await close().catch(() => {});
      }
    })();
    return this.#closed;
  }
}
