import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installOnce } from './install-once.ts';

/** Runs the tests on this Vite, e.g. `7.3`, as the project's own. Empty: on the Vite of this repository. */
export const VITE_VERSION: string | undefined = process.env.VITE_VERSION || undefined;

/** Each Vite has a vite-node of its own. */
const VITE_NODE: Record<string, string> = { '7.3': '~5.3.0' };

/** The folder of that Vite and its vite-node. */
export function otherViteFolder(version: string): string {
  return join(tmpdir(), `medusa-vite-vite-${version}`);
}

export function installOtherVite(version: string): Promise<void> {
  const dependencies = { vite: `~${version}.0`, 'vite-node': VITE_NODE[version] };
  return installOnce(otherViteFolder(version), { name: 'other-vite', private: true, dependencies });
}
