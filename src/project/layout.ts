import { posix } from 'node:path';

/**
 * Medusa's layout of a project. Only this file knows what kind of file is at which path. Paths are relative to the
 * project, with forward slashes. (2.12.1 to 2.21.2; beside each kind stands the file of Medusa that reads it)
 */

export type FileKind =
  | 'admin extension'
  | 'route'
  | 'middlewares'
  | 'workflow'
  | 'subscriber'
  | 'job'
  | 'link'
  | 'search index'
  | 'script'
  | 'migration script'
  | 'medusa module'
  | 'migration'
  | 'data model'
  | 'service'
  | 'repository'
  | 'feature flag'
  | 'policy'
  | 'environment file'
  | 'config'
  | 'instrumentation'
  | 'lockfile'
  | 'project settings'
  | 'package manager settings';

type Table = readonly (readonly [FileKind, Pick<RegExp, 'test'>])[];

/** The kind of a source depends on its path below this folder, so that there may be other such folders one day. */
export const SOURCE_FOLDER = 'src';

/** Scripts at any depth below a folder; a `_` before the name hides one. */
const below = (folder: string) => script(`^${folder}/(?:.*/)?`);
const directlyIn = (folder: string) => script(`^${folder}/`);
const script = (place: string) => new RegExp(`${place}[^_/][^/]*(?<!\\.d)\\.[jt]s$`);

/** By the path below the folder of sources; the first match decides. */
const IN_SOURCES: Table = [
  ['admin extension', /^admin\//], // the dashboard's Vite
  ['route', /^api\/(?:(?!_)[^/]+\/)*route\.[jt]s$/], // framework/dist/http/routes-loader.js
  ['middlewares', /^api\/middlewares\.[jt]s$/], // framework/dist/http/middleware-file-loader.js
  ['workflow', below('workflows')], // framework/dist/utils/resource-loader.js
  ['subscriber', below('subscribers')], // the same
  ['job', below('jobs')], // the same
  ['link', below('links')], // framework/dist/links/link-loader.js
  ['search index', below('search')], // framework/dist/search/search-index-loader.js
  ['script', /^scripts\//], // medusa/dist/commands/exec.js
  ['migration script', /^migration-scripts\//], // framework/dist/migrations/run-migration-scripts.js
  // A Medusa module or a module provider: only the exports tell which.
  ['medusa module', /^(?:modules|providers)\/[^/]+\/index\.[jt]s$/], // the config names it
  ['migration', /^modules\/[^/]+\/migrations\//], // utils/dist/dal/mikro-orm
  ['data model', below('modules/[^/]+/models')], // modules-sdk/dist/loaders/utils/load-internal.js
  ['service', directlyIn('modules/[^/]+/services')], // the same
  ['repository', directlyIn('modules/[^/]+/repositories')], // the same
  ['feature flag', directlyIn('(?:modules/[^/]+/)?feature-flags')], // utils/dist/feature-flags
  ['policy', directlyIn('policies')], // utils/dist/policies
];

export const LOCKFILES: readonly string[] = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'bun.lock',
  'bun.lockb',
];

/** By the path below the project, for all other files. */
const IN_PROJECT: Table = [
  ['environment file', /^\.env(?!.*\.(?:template|example|sample)$)(?:\.[\w-]+)*$/],
  ['config', /^medusa-config\.[cm]?[jt]s$/], // utils/dist/common/get-config-file.js
  ['instrumentation', /^instrumentation\.[jt]s$/], // medusa/dist/commands/start.js
  ['lockfile', { test: (path: string) => LOCKFILES.includes(path) }],
  ['project settings', /^(?:package|tsconfig[^/]*)\.json$|^vite\.config\.[cm]?[jt]s$/],
  ['package manager settings', /^(?:\.npmrc|\.yarnrc\.yml|\.pnp\.[cm]js)$/],
  // Medusa looks for both two folders deep, wherever that is.
  ['feature flag', directlyIn('(?:[^/]+/)?feature-flags')],
  ['policy', directlyIn('(?:[^/]+/)?policies')],
];

/** Kinds that the running app does not load. */
const NOT_LOADED: readonly (FileKind | undefined)[] = [
  'admin extension',
  'script',
  'migration script',
  'migration',
  'environment file',
  'lockfile',
  'project settings',
  'package manager settings',
];

/** Kinds that Medusa does not look for among tests. */
const BESIDE_TESTS: readonly FileKind[] = ['workflow', 'subscriber', 'job', 'link', 'search index'];

/** Kinds that a file with the name `index` may have; for workflows since Medusa 2.13. */
const WITH_INDEX: readonly FileKind[] = ['workflow', 'medusa module'];

/** @returns undefined for a file that only serves its importers */
export function kindOf(path: string): FileKind | undefined {
  const inSources = belowSources(path);
  return inSources === undefined ? firstMatch(IN_PROJECT, path) : firstMatch(IN_SOURCES, inSources);
}

/** Whether Medusa loads the file by itself; other files in the same folder are its helpers. */
export function isEntry(path: string): boolean {
  const kind = kindOf(path);
  return (
    kind !== undefined &&
    isForApp(path) &&
    /\.[jt]s$/.test(path) &&
    (WITH_INDEX.includes(kind) || !isIndex(path)) &&
    !(BESIDE_TESTS.includes(kind) && isTest(path))
  );
}

/** Whether the running app may load the file. */
export function isForApp(path: string): boolean {
  return !NOT_LOADED.includes(kindOf(path));
}

export function isIndex(path: string): boolean {
  return /(?:^|\/)index\.[jt]s$/.test(path);
}

export function isTest(path: string): boolean {
  return /(?:^|\/)(?:__tests__\/|[^/]+\.(?:spec|test)\.[jt]sx?$)/.test(path);
}

/** The Medusa module or the module provider to which the file belongs. */
export function medusaModuleOf(path: string): string | undefined {
  return /^(?:modules|providers)\/([^/]+)\//.exec(belowSources(path) ?? '')?.[1];
}

/** The path below the folder of the kind, without extension: some resources have no other name. */
export function resourceNameOf(path: string): string {
  return (belowSources(path) ?? path).replace(/^[^/]+\/|\.[jt]s$/g, '');
}

/** Whether the file, in any folder, says which packages are installed, or how these and the project are read. */
export function isAboutPackages(file: string): boolean {
  const kind = kindOf(posix.basename(file));
  return kind === 'lockfile' || kind === 'project settings' || kind === 'package manager settings';
}

export function isLockfile(file: string): boolean {
  return LOCKFILES.includes(posix.basename(file));
}

/** Whether nothing at this path, of a file or a folder, is ever source. */
export function isNeverSource(path: string): boolean {
  return NEVER_SOURCE.test(path);
}

const NEVER_SOURCE =
  /(?:^|\/)(?:node_modules|\.git)(?:\/|$)|^(?:\.medusa|dist|static|private|uploads)(?:\/|$)/;

function belowSources(path: string): string | undefined {
  const prefix = `${SOURCE_FOLDER}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

function firstMatch(table: Table, path: string): FileKind | undefined {
  return table.find(([, pattern]) => pattern.test(path))?.[0];
}
