import { isEmbeddedDatabaseInstalled, startEmbeddedDatabase } from '../database/embedded.ts';
import { migrateIfPending } from '../database/migrations.ts';
import { describeCrash, Host } from '../host/host.ts';
import { type Listener, listen } from '../host/listener.ts';
import { assertMedusaProject, readDotEnv } from '../host/project.ts';
import { createJsonReporter, createTerminalReporter, type Reporter } from '../host/reporter.ts';
import { createViteServer } from '../host/vite-server.ts';
import { assertDatabaseReachable } from '../protocol/database-check.ts';
import { MedusaViteError } from '../protocol/failure.ts';
import { findSupportedMedusa } from '../protocol/medusa-version.ts';
import { type SerializedError, serializeError } from '../protocol/serialized-error.ts';
import type { DevOptions } from './dev-options.ts';
import { Ending } from './ending.ts';
import { parseInspect } from './inspect-option.ts';
import { openBrowser } from './open-browser.ts';
import { bindShortcuts, hasShortcuts, SHORTCUTS_HINT } from './shortcuts.ts';

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
  void findSupportedMedusa(root);
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
  const ending = new Ending();
  ending.add(() => listener.close());
  guardAgainstStrayErrors(reporter);
  try {
    let embeddedUrl: string | undefined;
    const vitePromise = createViteServer({ root, pollMs: options.pollMs });
    vitePromise.catch(() => {});
    const databaseUrl = setting('DATABASE_URL');
    if (databaseUrl) {
      await assertDatabaseReachable(databaseUrl);
    } else if (isEmbeddedDatabaseInstalled(root)) {
      const log = (line: string) => reporter.info(line);
      const database = await startEmbeddedDatabase({ root, log });
      ending.add(() => database.stop());
      embeddedUrl = database.url;
      const env = { ...shell, DATABASE_URL: embeddedUrl };
      await migrateIfPending({ root, database, env, log });
    }

    const { inspect, nodeArgs } = parseInspect(options.inspect, options.nodeArgs);
    let updates = 0;
    let isFirst = true;
    let isStarted = false;
    const host = new Host({
      root,
      vite: await vitePromise,
      listener,
      child: { types: options.types, inspect },
      // A `DATABASE_URL` that comes into `.env` later takes the place of the embedded one.
      env: () =>
        embeddedUrl === undefined || readDotEnv(root).DATABASE_URL
          ? shell
          : { ...shell, DATABASE_URL: embeddedUrl },
      nodeArgs,
      isStdoutTaken: options.json,
      hmr: options.hmr,
      events: {
        ready: ({ pid, isHmrOn, bootMs }) => {
          reporter.ready({
            event: 'ready',
            port: listener.port,
            url: listener.url,
            pid,
            hmr: isHmrOn,
            ms: Math.round(isFirst ? performance.now() - startedAt : bootMs),
          });
          if (isFirst && hasShortcuts(options.json)) {
            reporter.info(SHORTCUTS_HINT);
          }
          isFirst = false;
        },
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
    ending.add(
      () => host.close(),
      () => host.kill(),
    );
    if (hasShortcuts(options.json)) {
      bindHostShortcuts(host, { reporter, listener, ending });
    }
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

const CLEAR_SCREEN = '\u001B[2J\u001B[3J\u001B[H';

function bindHostShortcuts(
  host: Host,
  { reporter, listener, ending }: { reporter: Reporter; listener: Listener; ending: Ending },
): void {
  const adminUrl = () => (host.adminPath === null ? undefined : `${listener.url}${host.adminPath}`);
  bindShortcuts({
    print: (line) => reporter.info(line),
    actions: {
      restart: () => void host.restart('asked for by a key'),
      printUrls() {
        const url = adminUrl();
        reporter.info(`app: ${listener.url}${url === undefined ? '' : `, admin: ${url}`}`);
      },
      openAdmin() {
        const url = adminUrl();
        if (url === undefined) {
          reporter.info('the admin is switched off, or the app has not been up yet');
          return;
        }
        void openBrowser(url).then((isOpen) => {
          reporter.info(isOpen ? `opened ${url}` : `no browser could be started: open ${url}`);
        });
      },
      clear: () => process.stdout.write(CLEAR_SCREEN),
      quit: () => ending.end(0),
    },
  });
}

/** An error in a timer of some plugin must not end the app with the host. */
function guardAgainstStrayErrors(reporter: Reporter): void {
  const report = (error: unknown) => {
    reporter.failure(serializeError(error), 'an error in the dev server itself');
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
}
