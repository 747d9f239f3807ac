import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
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

/** A copy of the built product: another build does not change it, and a test may damage it. */
export function copyProduct(): { cli: string; folder: string; dispose(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'medusa-vite-product-'));
  cpSync(join(REPOSITORY, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return {
    folder,
    cli: join(folder, 'dist/src/cli/bin.js'),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
