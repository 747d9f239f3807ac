import { createHash, type Hash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { kindOf } from '../../project/layout.ts';
import { type FoundPackage, findPackage } from '../../project/medusa-version.ts';

/** Raised when what goes into the fingerprint changes: then every project migrates once. */
const FINGERPRINT_VERSION = 1;
/** Deeper than any project's modules; ends the walk when links make a circle. */
const MAX_DEPTH = 12;
const CODE = /\.(?:[cm]?[jt]sx?|json|sql)$/;
const MODULE_PARTS = ['migrations', 'models'];
const ENV_FILES = ['.env', '.env.local', '.env.development', '.env.development.local'];
/** Feature flags switch on modules, which have tables. Ours does not. */
const FLAG = /^\s*(?:export\s+)?(MEDUSA_FF_(?!BACKEND_HMR\b)\w+)\s*=(.*)$/;

/**
 * Changes whenever `medusa db:migrate` may have something to do. Reads files only: to ask Medusa
 * itself costs a boot of several seconds.
 */
export async function fingerprintMigrations(root: string, env: NodeJS.ProcessEnv): Promise<string> {
  const hash = createHash('sha256');
  add(hash, 'format', String(FINGERPRINT_VERSION));
  add(hash, 'medusa', findInstalled(root, '@medusajs/medusa')?.version ?? '');
  const dependencies = await readDependencies(root);
  add(hash, 'dependencies', JSON.stringify(dependencies));
  for (const [name, value] of flagsOf(root, env)) {
    add(hash, name, value);
  }
  for (const file of await projectFiles(root)) {
    add(hash, file, await readFile(join(root, file)));
  }
  for (const name of dependencies.map(([dependency]) => dependency)) {
    for (const line of await describePlugin(root, name)) {
      add(hash, name, line);
    }
  }
  return hash.digest('hex');
}

function add(hash: Hash, name: string, content: string | Buffer): void {
  // The length keeps two neighbours from being read as one.
  hash.update(`${name}\0${content.length}\0`).update(content);
}

/**
 * Relative to the root, with forward slashes, sorted. More than what Medusa takes for a model or a link: also what
 * stands beside one, which it may import.
 */
async function projectFiles(root: string): Promise<string[]> {
  const config = (await listNames(root)).filter((name) => kindOf(name) === 'config');
  const modules = await walk(join(root, 'src/modules'), 'src/modules');
  const ofModules = modules.filter((file) => {
    const parts = file.split('/').slice(2);
    const isIndex = parts.length === 2 && parts[1]?.startsWith('index.');
    return isIndex || parts.some((part) => MODULE_PARTS.includes(part.replace(/\.\w+$/, '')));
  });
  const rest = await Promise.all(
    ['src/links', 'src/migration-scripts'].map((folder) => walk(join(root, folder), folder)),
  );
  return [...config, ...ofModules, ...rest.flat()].sort();
}

async function walk(folder: string, prefix: string, depth = 0): Promise<string[]> {
  if (depth > MAX_DEPTH) {
    return [];
  }
  const found = await Promise.all(
    (await listNames(folder)).map(async (name) => {
      if (name === 'node_modules') {
        return [];
      }
      const file = join(folder, name);
      // `stat`, not the entry's own type: a module may be a link to a folder.
      const info = await stat(file).catch(() => undefined);
      if (info?.isDirectory()) {
        return walk(file, `${prefix}/${name}`, depth + 1);
      }
      return info?.isFile() && CODE.test(name) ? [`${prefix}/${name}`] : [];
    }),
  );
  return found.flat();
}

/** A plugin of Medusa is a package with a `.medusa/server`; what it is built of may change in place. */
async function describePlugin(root: string, name: string): Promise<string[]> {
  const plugin = findInstalled(root, name);
  const server = plugin && join(plugin.folder, '.medusa/server');
  if (server === undefined || !existsSync(server)) {
    return [];
  }
  const files = await walk(join(server, 'src'), 'src');
  const relevant = files
    .filter((file) => /\/(?:migrations|models|links)\//.test(`/${file}`))
    .sort();
  const lines = relevant.map((file) => {
    const { size, mtimeMs } = statSync(join(server, file));
    return `${file} ${size} ${Math.floor(mtimeMs)}`;
  });
  return [plugin?.version ?? '', ...lines];
}

function findInstalled(root: string, name: string): FoundPackage | undefined {
  return findPackage(createRequire(join(root, 'package.json')), name);
}

async function readDependencies(root: string): Promise<[string, string][]> {
  const manifest = readJson(join(root, 'package.json'));
  const found = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((field) => {
    const list = manifest[field];
    return typeof list === 'object' && list !== null ? Object.entries(list) : [];
  });
  return found.map(([name, range]): [string, string] => [name, String(range)]).sort();
}

function flagsOf(root: string, env: NodeJS.ProcessEnv): [string, string][] {
  const lines = ENV_FILES.flatMap((name) => readText(join(root, name)).split(/\r?\n/));
  const all = [...lines, ...Object.entries(env).map(([name, value]) => `${name}=${value ?? ''}`)];
  return all.flatMap((line): [string, string][] => {
    const [, name, value] = FLAG.exec(line) ?? [];
    return name === undefined ? [] : [[name, (value ?? '').trim()]];
  });
}

function readJson(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
