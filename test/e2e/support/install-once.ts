import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const INSTALL_LIMIT_MS = 600_000;

/** Installs the packages of a manifest, unless an earlier run has done so. */
export async function installOnce(folder: string, manifest: object): Promise<void> {
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) {
    return;
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  await promisify(execFile)('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: folder,
    shell: process.platform === 'win32',
    timeout: INSTALL_LIMIT_MS,
  }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => {
    throw new Error(`\`npm install\` failed in ${folder}:\n${stdout}${stderr}`);
  });
}
