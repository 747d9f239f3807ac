import type { ViteDevServer } from 'vite';
import { Host } from '../host/host.ts';
import { Ending } from '../host/terminal/ending.ts';
import { createReporter, type Reporter } from '../host/terminal/reporter.ts';
import { bindHostShortcuts, hasShortcuts, SHORTCUTS_HINT } from '../host/terminal/shortcuts.ts';
import { serializeError } from '../shared/serialized-error.ts';
import { describeOtherVite } from '../vite/project-vite.ts';
import type { DevOptions } from './dev-options.ts';
import { createViteServer } from './vite-server.ts';

/** `medusa-vite dev`: runs until it is told to stop. @throws MedusaViteError if it cannot start at all. */
export async function runDev(options: DevOptions): Promise<void> {
  const { root, pollMs, json } = options;
  const reporter = createReporter(options);
  let vite: Promise<ViteDevServer> | undefined;
  const host = new Host({
    ...options,
    reporter,
    isStdoutTaken: json,
    createVite() {
      vite = createViteServer({ root, pollMs });
      return vite;
    },
    onFirstReady() {
      if (hasShortcuts(json)) {
        reporter.info(SHORTCUTS_HINT);
      }
    },
  });
  const ending = new Ending();
  ending.add(async () => (await vite)?.close());
  ending.add(
    () => host.close(),
    () => host.kill(),
  );
  guardAgainstStrayErrors(reporter);
  const otherVite = describeOtherVite(root);
  if (otherVite) {
    reporter.warn(otherVite);
  }
  if (hasShortcuts(json)) {
    bindHostShortcuts(() => host, { reporter, quit: () => ending.end(0) });
  }
  try {
    await host.start();
  } catch (error) {
    await ending.close();
    throw error;
  }
}

/** An error in a timer of some plugin must not end the app with the host. */
function guardAgainstStrayErrors(reporter: Reporter): void {
  const report = (error: unknown) => {
    reporter.failure(serializeError(error), 'an error in the dev server itself');
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
}
