import { createRequire, Module } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isInPackage } from './package-trace.ts';

/** After this long, the messages of the host are read. */
const SLICE_MS = 20;

/** Loads files of packages in this order, until `isOver`. @throws the error of a package */
export async function loadPackages(
  files: string[],
  { root, isOver }: { root: string; isOver(): boolean },
): Promise<void> {
  const require = createRequire(`${root}/package.json`);
  let startedAt = performance.now();
  for (const file of files) {
    if (isOver()) {
      return;
    }
    require(file);
    if (performance.now() - startedAt > SLICE_MS) {
      await nextTurn();
      startedAt = performance.now();
    }
  }
}

/** All files of packages that are loaded by now. */
export function loadedPackageFiles(): string[] {
  return Object.keys((Module as unknown as { _cache: object })._cache).filter(isInPackage);
}
