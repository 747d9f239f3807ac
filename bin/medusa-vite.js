#!/usr/bin/env node
// Committed, while `dist` is built: npm links a bin when it installs, and skips one that is not there yet.
import { existsSync } from 'node:fs';

const built = new URL('../dist/src/cli/bin.js', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  process.stderr.write(
    'medusa-vite: It is not built yet. Run `npm run build` in its repository.\n',
  );
  process.exitCode = 1;
}
