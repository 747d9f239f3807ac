import { type FileKind, isLockfile, isTest, kindOf } from '../project/layout.ts';
import { isAbsoluteFile } from '../shared/paths.ts';
import type { BuiltInReloader, Rule, RuleFile, RuleTraits } from './rule.ts';

export interface BuiltInRule extends Rule, RuleTraits {
  action: 'restart' | 'ignore' | BuiltInReloader;
}

/**
 * The rules for changes of the files that Medusa loads. They have the form of the rules of users and plugin
 * authors, and are asked after those. Their names do not change, so that a rule can be found by its name.
 *
 * @example
 * // The same order, with one rule changed: an edited migration restarts the app.
 * const rules = builtInRules.map((rule) =>
 *   rule.name === 'migration' ? { ...rule, action: 'restart' as const } : rule,
 * );
 * medusa({ builtInRules: rules });
 */
export const builtInRules: readonly BuiltInRule[] = [
  {
    name: 'environment file',
    match: isOf('environment file'),
    action: 'restart',
    choosesModules: true,
  },
  {
    name: 'config',
    match: isOf('config', 'instrumentation'),
    action: 'restart',
    choosesModules: true,
  },
  { name: 'project settings', match: isOf('project settings', 'lockfile'), action: 'restart' },
  {
    // The file lies above the project, so its path is absolute.
    name: 'lockfile of the workspace',
    match: ({ path }) => isAbsoluteFile(path) && isLockfile(path),
    action: 'restart',
  },
  {
    // The admin process has its own Vite. A file that the app has loaded is the backend's as well.
    name: 'admin',
    match: ({ path, isLoaded }) => !isLoaded && kindOf(path) === 'admin extension',
    action: 'ignore',
    mayBeMissing: isNoJsx,
  },
  { name: 'types', match: '**/*.d.ts', action: 'ignore' },
  {
    name: 'tests',
    match: ({ path, isLoaded }) => !isLoaded && isTest(path),
    action: 'ignore',
    mayBeMissing: isNoJsx,
  },
  { name: 'route', match: isOf('route'), action: 'routes' },
  { name: 'middlewares', match: isOf('middlewares'), action: 'routes' },
  { name: 'workflow', match: isOf('workflow'), action: 'workflows' },
  { name: 'subscriber', match: isOf('subscriber'), action: 'subscribers' },
  { name: 'job', match: isOf('job'), action: 'jobs' },
  {
    name: 'migration',
    match: isOf('migration'),
    action: 'ignore',
    note: 'a migration changed: `npx medusa db:migrate` applies new ones',
  },
  {
    // Medusa and MikroORM remember a model for the life of the process.
    name: 'data model',
    match: isLoadedOrNew('data model'),
    action: 'restart',
    note: 'a data model changed: `npx medusa db:generate <module>` and `npx medusa db:migrate` bring the database up to date',
  },
  {
    name: 'link',
    match: isLoadedOrNew('link'),
    action: 'restart',
    note: 'a link changed: `npx medusa db:sync-links` brings the database up to date',
  },
  {
    name: 'module',
    match: ({ path, change, isLoaded }) =>
      isLoaded && change !== 'delete' && kindOf(path) === 'medusa module',
    action: 'modules',
  },
  {
    name: 'module or provider',
    match: ({ path, change, isLoaded }) =>
      isLoaded && change === 'delete' && kindOf(path) === 'medusa module',
    action: 'restart',
  },
  {
    // Medusa scans these folders once, at boot.
    name: 'loaded at boot',
    match: isLoadedOrNew('search index', 'service', 'repository', 'feature flag', 'policy'),
    action: 'restart',
  },
];

function isOf(...kinds: FileKind[]): (file: RuleFile) => boolean {
  return ({ path }) => {
    const kind = kindOf(path);
    return kind !== undefined && kinds.includes(kind);
  };
}

/** Files with JSX (widgets and their tests) are for the dashboard alone. */
function isNoJsx(path: string): boolean {
  return !/\.[jt]sx$/.test(path);
}

/** Matches files that the app has loaded, or would have loaded if they had been there. */
function isLoadedOrNew(...kinds: FileKind[]): (file: RuleFile) => boolean {
  const isOneOf = isOf(...kinds);
  return (file) => isOneOf(file) && (file.isLoaded || file.change === 'create');
}
