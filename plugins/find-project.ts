import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ResolvedConfig } from 'vite';
import { toPosix } from '../src/shared/paths.ts';

/**
 * The folder with `medusa-config`: a front end may have its root elsewhere. Any extension counts, since Medusa loads
 * the config by `require()`; the host itself reports an extension that it does not support.
 */
export function findProject({
  root,
  configFile,
}: Pick<ResolvedConfig, 'root' | 'configFile'>): string {
  const folders = [root, ...(configFile === undefined ? [] : [dirname(configFile)]), process.cwd()];
  const found = folders.find(
    (folder) =>
      existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('medusa-config.')),
  );
  return toPosix(realpathSync.native(found ?? root));
}
