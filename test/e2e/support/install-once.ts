import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const INSTALL_LIMIT_MS = 600_000;

/** Installs what a manifest names; a later run finds it there. */
export function installOnce(folder: string, manifest: object): void {
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) {
    return;
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  const result = spawnSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: INSTALL_LIMIT_MS,
  });
  if (result.status !== 0) {
    throw new Error(`\`npm install\` failed in ${folder}:\n${result.stdout}${result.stderr}`);
  }
}
