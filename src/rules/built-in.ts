import type { Rule, RuleFile } from './rule.ts';

/**
 * What Medusa loads from a project, and what a change of it takes. Written in the form that users and
 * plugin authors write theirs in, and asked after those.
 */
export const builtInRules: Rule[] = [
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
  // The admin has a Vite of its own.
  { name: 'admin', match: 'src/admin/**', action: 'ignore' },
  { name: 'types', match: '**/*.d.ts', action: 'ignore' },
  {
    name: 'tests',
    match: (file) =>
      !file.isLoaded && /(?:^|\/)(?:__tests__\/|[^/]+\.(?:spec|test)\.[jt]sx?$)/.test(file.path),
    action: 'ignore',
  },
  { name: 'route', match: isRoute, action: 'routes' },
  { name: 'middlewares', match: 'src/api/middlewares.{ts,js}', action: 'routes' },
  {
    // Medusa scans these folders once, at boot.
    name: 'resource',
    match: (file) => isLoadedByFolder(file),
    action: 'restart',
  },
];

function isRoute({ path }: RuleFile): boolean {
  return /^src\/api\/(?:.*\/)?route\.[jt]s$/.test(path) && !/\/_/.test(path);
}

const SCANNED_FOLDERS =
  /^src\/(?:workflows|subscribers|jobs|links|search)\/|^src\/modules\/[^/]+\/(?:models|services|repositories|loaders|feature-flags)\/[^/]+$|^(?:[^/]+\/)?(?:feature-flags|policies)\/[^/]+$/;

function isLoadedByFolder({ path, change, isLoaded }: RuleFile): boolean {
  const isScanned = SCANNED_FOLDERS.test(path) && /\.[jt]s$/.test(path) && !/\/_[^/]*$/.test(path);
  return isScanned && (isLoaded || change === 'create');
}
