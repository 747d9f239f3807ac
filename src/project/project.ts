import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { MedusaViteError } from '../shared/failure.ts';
import { isInside, toPosix } from '../shared/paths.ts';
import { isForApp, isNeverSource, isTest, kindOf, LOCKFILES, SOURCE_FOLDER } from './layout.ts';

/** Checks the folder before anything is started. @throws MedusaViteError */
export function assertMedusaProject(root: string): void {
  const [odd] = /[#?]/.exec(root) ?? [];
  if (odd !== undefined) {
    throw new MedusaViteError(
      `\`${root}\` has a \`${odd}\` in its path: to Vite, what follows is no part of a file's name.`,
      { code: 'UNSUPPORTED_PATH', hint: 'Give the folder another name.' },
    );
  }
  if (!existsSync(join(root, 'package.json'))) {
    throw new MedusaViteError(`\`${root}\` is not a Medusa project: it has no package.json.`, {
      code: 'NOT_A_PROJECT',
      hint: 'Run medusa-vite in the folder of your Medusa backend.',
    });
  }
  if (!readdirSync(root).some((name) => kindOf(name) === 'config')) {
    throw new MedusaViteError(`\`${root}\` is not a Medusa project: it has no medusa-config.ts.`, {
      code: 'NO_CONFIG',
      hint: 'Run medusa-vite in the folder of your Medusa backend.',
    });
  }
}

/** Reads `.env`, the only file with variables that Medusa reads during development. */
export function readDotEnv(root: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(join(root, '.env'), 'utf8'));
  } catch {
    return {};
  }
}

/** Files directly in the project, whose changes may restart the app. */
export function topLevelFiles(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${root}/${entry.name}`);
}

/** The lockfiles of the project and of the workspace that it is in. */
export function lockfiles(root: string): string[] {
  const own = LOCKFILES.map((name) => `${root}/${name}`).filter((file) => existsSync(file));
  return [...own, ...workspaceLockfiles(root)];
}

/** The lockfiles of a workspace are in a folder above the project, at most in the root of the repository. */
export function workspaceLockfiles(root: string): string[] {
  const found: string[] = [];
  for (let folder = root; !existsSync(join(folder, '.git')); ) {
    const parent = dirname(folder);
    if (parent === folder) {
      // Without a repository, nothing tells whose lockfiles those are.
      return [];
    }
    folder = parent;
    found.push(...LOCKFILES.map((name) => toPosix(join(folder, name))));
  }
  return found.filter((file) => existsSync(file));
}

/** The folder of the package that an outside file is in; the file itself, if that folder holds the project too. */
export function packageOf(root: string, file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (isInside(folder, root) || dirname(folder) === folder) {
      return file;
    }
    if (existsSync(join(folder, 'package.json'))) {
      return folder;
    }
  }
}

/** Sources that Vite can transform before the app asks for them. */
export function sourceFiles(root: string): string[] {
  return listBelow(`${root}/${SOURCE_FOLDER}`)
    .map((path) => `${SOURCE_FOLDER}/${toPosix(path)}`)
    .filter((path) => /(?<!\.d)\.[jt]s$/.test(path) && !isTest(path) && isForApp(path))
    .map((path) => `${root}/${path}`);
}

/** At any depth, relative to the folder; none if the folder cannot be read, or changes at this moment. */
function listBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}

/** All files whose changes are noticed; relative, with forward slashes. */
export async function listFiles(root: string, folder = ''): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  for (const entry of entries) {
    const path = `${folder}${entry.name}`;
    if (isNeverSource(path)) {
      continue;
    }
    if (entry.isDirectory()) {
      files.push(...(await listFiles(root, `${path}/`)));
    } else {
      files.push(path);
    }
  }
  return files;
}
