import { realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReloaderModule } from '../protocol/messages.ts';
import { isAbsoluteFile, relativeToRoot, toPosix } from '../shared/paths.ts';
import type { OwnReloader } from './rule.ts';

/** The endings with which Node would find a file without extension, TypeScript's first. */
const ENDINGS = ['', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '/index.ts', '/index.js'];

/**
 * Finds the reloader's file. A package that only `import` can resolve is left to the app.
 * @throws TypeError for an invalid `file:` URL
 */
export function resolveReloader(
  { reloader, from }: OwnReloader,
  root: string,
): Omit<ReloaderModule, 'owner'> {
  const base = resolve(root, from === undefined ? 'package.json' : toPath(from));
  const path = toPath(reloader);
  const specifier =
    /^\.{1,2}[/\\]/.test(path) || isAbsolute(path)
      ? findFile(resolve(dirname(base), path))
      : (tryResolve(reloader, base) ?? reloader);
  return { name: relativeToRoot(root, specifier), specifier };
}

/** Whether a rule names the file, which need not exist. */
export function isReloaderFile(reloaders: ReloaderModule[], file: string): boolean {
  return reloaders.some(
    ({ specifier }) =>
      isAbsoluteFile(specifier) && ENDINGS.some((ending) => specifier + ending === file),
  );
}

function toPath(specifier: string): string {
  return specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier;
}

/** @returns the path itself if there is no such file: the app then reports that */
function findFile(path: string): string {
  const found = ENDINGS.map((ending) => path + ending).find((candidate) => {
    return statSync(candidate, { throwIfNoEntry: false })?.isFile();
  });
  return toPosix(found === undefined ? path : realpathSync.native(found));
}

function tryResolve(specifier: string, from: string): string | undefined {
  try {
    return toPosix(createRequire(from).resolve(specifier));
  } catch {
    return undefined;
  }
}
