import type { BuiltInReloader, Rule, RuleFile } from './rule.ts';

/**
 * What Medusa loads from a project, and what a change of it takes. Written in the form that users and
 * plugin authors write theirs in, and asked after those. The names stay: they are there to find a rule by.
 *
 * @example
 * // In this order, but for one that is another: an edited migration restarts the app.
 * const rules = builtInRules.map((rule) =>
 *   rule.name === 'migration' ? { ...rule, action: 'restart' as const } : rule,
 * );
 * medusa({ builtInRules: rules });
 */
export const builtInRules: readonly (Rule & {
  action: 'restart' | 'ignore' | BuiltInReloader;
})[] = [
  {
    name: 'environment file',
    match: (file) =>
      /^\.env(?:\.[\w-]+)*$/.test(file.path) && !/\.(?:template|example|sample)$/.test(file.path),
    action: 'restart',
  },
  {
    name: 'config',
    match: ['medusa-config.{ts,js,mts,mjs,cts,cjs}', 'instrumentation.{ts,js}'],
    action: 'restart',
  },
  {
    name: 'project settings',
    match: [
      'package.json',
      '{package-lock,npm-shrinkwrap}.json',
      'yarn.lock',
      'pnpm-lock.yaml',
      'pnpm-workspace.yaml',
      'bun.lock{,b}',
      'tsconfig*.json',
      'vite.config.{ts,js,mts,mjs,cts,cjs}',
    ],
    action: 'restart',
  },
  {
    // Its path is absolute: it lies above the project.
    name: 'lockfile of the workspace',
    match: (file) =>
      /^(?:\/|[A-Za-z]:\/)/.test(file.path) &&
      /\/(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|pnpm-workspace\.yaml|bun\.lockb?)$/.test(
        file.path,
      ),
    action: 'restart',
  },
  {
    // The admin has a Vite of its own; what the backend shares with it is the backend's as well.
    name: 'admin',
    match: ({ path, isLoaded }) => !isLoaded && path.startsWith('src/admin/'),
    action: 'ignore',
  },
  { name: 'types', match: '**/*.d.ts', action: 'ignore' },
  {
    name: 'tests',
    match: (file) =>
      !file.isLoaded && /(?:^|\/)(?:__tests__\/|[^/]+\.(?:spec|test)\.[jt]sx?$)/.test(file.path),
    action: 'ignore',
  },
  { name: 'route', match: isRoute, action: 'routes' },
  { name: 'middlewares', match: 'src/api/middlewares.{ts,js}', action: 'routes' },
  { name: 'workflow', match: isScanned('workflows'), action: 'workflows' },
  { name: 'subscriber', match: isScanned('subscribers'), action: 'subscribers' },
  { name: 'job', match: isScanned('jobs'), action: 'jobs' },
  {
    name: 'migration',
    match: 'src/modules/*/migrations/**',
    action: 'ignore',
    note: 'a migration changed: `npx medusa db:migrate` applies new ones',
  },
  {
    // Medusa and MikroORM keep what they know of a model for the life of the process.
    name: 'data model',
    match: (file) => isBootFile(file, /^src\/modules\/[^/]+\/models\//),
    action: 'restart',
    note: 'a data model changed: `npx medusa db:generate <module>` and `npx medusa db:migrate` bring the database up to date',
  },
  {
    name: 'link',
    match: (file) => isBootFile(file, /^src\/links\//),
    action: 'restart',
    note: 'a link changed: `npx medusa db:sync-links` brings the database up to date',
  },
  {
    name: 'module',
    match: ({ path, change, isLoaded }) =>
      isLoaded &&
      change !== 'delete' &&
      /^src\/(?:modules|providers)\/[^/]+\/index\.[jt]s$/.test(path),
    action: 'modules',
  },
  {
    name: 'module or provider',
    match: ({ path, change, isLoaded }) =>
      isLoaded &&
      change === 'delete' &&
      /^src\/(?:modules|providers)\/[^/]+\/index\.[jt]s$/.test(path),
    action: 'restart',
  },
  {
    // Medusa scans these folders once, at boot.
    name: 'loaded at boot',
    match: (file) => isBootFile(file, BOOT_FOLDERS),
    action: 'restart',
  },
];

function isRoute({ path }: RuleFile): boolean {
  return /^src\/api\/(?:.*\/)?route\.[jt]s$/.test(path) && !/\/_/.test(path);
}

/** Files that Medusa finds by scanning a folder: `_` hides them, and so do tests once they are not imported. */
function isScanned(folder: string): (file: RuleFile) => boolean {
  return ({ path }) => path.startsWith(`src/${folder}/`) && isScript(path);
}

const BOOT_FOLDERS =
  /^src\/search\/|^src\/modules\/[^/]+\/(?:services|repositories|feature-flags)\/[^/]+$|^(?:[^/]+\/)?(?:feature-flags|policies)\/[^/]+$/;

/** One that the app has loaded, or would have loaded had it been there. */
function isBootFile({ path, change, isLoaded }: RuleFile, folder: RegExp): boolean {
  return folder.test(path) && isScript(path) && (isLoaded || change === 'create');
}

function isScript(path: string): boolean {
  return /\.[jt]s$/.test(path) && !/\/_[^/]*$/.test(path);
}
