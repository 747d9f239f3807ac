import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSupportedVite } from './supported-vite.ts';

export interface ProjectVite {
  version: string;
  /** The file to import. */
  file: string;
}

/** The Vite that the project itself depends on, not one that only another package depends on. */
export function findProjectVite(root: string): ProjectVite | undefined {
  const manifest = join(root, 'package.json');
  if (!existsSync(manifest)) {
    // There is no project here; a later check reports that.
    return undefined;
  }
  const { dependencies, devDependencies } = readJson(manifest);
  if (!hasVite(dependencies) && !hasVite(devDependencies)) {
    return undefined;
  }
  try {
    const require = createRequire(manifest);
    const { version } = readJson(require.resolve('vite/package.json'));
    return { version: String(version), file: require.resolve('vite') };
  } catch {
    // Not installed yet.
    return undefined;
  }
}

/** The project's own Vite, so that its plugins get the Vite that they were made for; else ours. */
export async function loadVite(root: string): Promise<typeof import('vite')> {
  const own = findProjectVite(root);
  return own && isSupportedVite(own.version)
    ? ((await import(pathToFileURL(own.file).href)) as typeof import('vite'))
    : import('vite');
}

/** A warning about a `vite.config` that was made for an unsupported Vite. */
export function describeOtherVite(root: string): string | undefined {
  const own = findProjectVite(root);
  const hasConfig = ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].some((extension) =>
    existsSync(join(root, `vite.config.${extension}`)),
  );
  return own && hasConfig && !isSupportedVite(own.version)
    ? `the project's Vite ${own.version} is not supported: its vite.config is loaded by medusa-vite's own Vite 8`
    : undefined;
}

function hasVite(dependencies: unknown): boolean {
  return dependencies instanceof Object && 'vite' in dependencies;
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}
