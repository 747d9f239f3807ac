import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { REPOSITORY } from './repository.ts';

export function buildProduct(): void {
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  const result = spawnSync(
    process.execPath,
    [join(tsc, '../bin/tsc'), '-p', 'tsconfig.build.json'],
    { cwd: REPOSITORY, encoding: 'utf8' },
  );
  if (result.status !== 0) {
    throw new Error(`The build failed:\n${result.stdout}${result.stderr}`);
  }
}

/** @param file below `dist`, e.g. `src/database/embedded.js` */
export function importBuilt<T>(file: string): Promise<T> {
  return import(/* @vite-ignore */ pathToFileURL(join(REPOSITORY, 'dist', file)).href);
}
