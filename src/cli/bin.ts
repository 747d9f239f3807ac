#!/usr/bin/env node
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MedusaViteError } from '../shared/failure.ts';
import { helpText, parseDevOptions, readCommand } from './dev-options.ts';
import { EXPLAIN_HELP, parseExplainOptions } from './explain-options.ts';

try {
  await run(process.argv.slice(2));
} catch (error) {
  const text = `medusa-vite: ${describe(error)}\n`;
  // Handles that are still open must not keep a failed start alive.
  process.stderr.write(text, () => process.exit(1));
}

async function run(argv: string[]): Promise<void> {
  const { command, args } = readCommand(argv);
  switch (command) {
    case 'help':
      process.stdout.write(`${helpText()}\n`);
      return;
    case 'version':
      process.stdout.write(`medusa-vite/${readVersion()} node/${process.version}\n`);
      return;
    case 'explain': {
      const options = parseExplainOptions(args);
      if (options === 'help') {
        process.stdout.write(`${EXPLAIN_HELP}\n`);
        return;
      }
      const { runExplain } = await import('./explain.ts');
      await runExplain(options, realpathSync.native(process.cwd()));
      return;
    }
    case 'dev': {
      const options = parseDevOptions(args, realpathSync.native(process.cwd()));
      // Loaded late, so that a wrong option is answered at once.
      const { runDev } = await import('./dev.ts');
      await runDev(options);
      return;
    }
  }
}

function describe(error: unknown): string {
  if (error instanceof MedusaViteError) {
    return error.hint ? `${error.message} ${error.hint}` : error.message;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** From the nearest package.json above: the sources and the build lie at different depths. */
function readVersion(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    directory = dirname(directory);
  }
  const manifest: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  return manifest instanceof Object && 'version' in manifest ? String(manifest.version) : 'unknown';
}
