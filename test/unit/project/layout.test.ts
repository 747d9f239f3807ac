import { describe, expect, it } from 'vitest';
import {
  type FileKind,
  isAboutPackages,
  isEntry,
  isLockfile,
  isNeverSource,
  isTest,
  kindOf,
  medusaModuleOf,
  resourceNameOf,
} from '../../../src/project/layout.ts';

const KINDS: Record<FileKind, string[]> = {
  'admin extension': ['src/admin/widgets/note.tsx', 'src/admin/lib/format.ts', 'src/admin/x.json'],
  route: ['src/api/route.ts', 'src/api/store/brands/[id]/route.js', 'src/api/store/route/route.ts'],
  middlewares: ['src/api/middlewares.ts', 'src/api/middlewares.js'],
  workflow: [
    'src/workflows/sync.ts',
    'src/workflows/steps/read.js',
    'src/workflows/index.ts',
    'src/workflows/_steps/read.ts',
    'src/workflows/__tests__/sync.ts',
  ],
  subscriber: ['src/subscribers/order-placed.ts', 'src/subscribers/order/placed.ts'],
  job: ['src/jobs/nightly.ts', 'src/jobs/index.ts'],
  link: ['src/links/brand-product.ts'],
  'search index': ['src/search/brand.ts'],
  script: ['src/scripts/seed.ts', 'src/scripts/data/brands.json'],
  'migration script': ['src/migration-scripts/initial-data.ts'],
  'medusa module': ['src/modules/brand/index.ts', 'src/providers/sms/index.js'],
  migration: [
    'src/modules/brand/migrations/Migration20250101.ts',
    'src/modules/brand/migrations/.snapshot-brand.json',
  ],
  'data model': ['src/modules/brand/models/brand.ts', 'src/modules/brand/models/parts/name.ts'],
  service: ['src/modules/brand/services/names.ts'],
  repository: ['src/modules/brand/repositories/brand.ts'],
  'feature flag': [
    'src/feature-flags/brands.ts',
    'src/modules/brand/feature-flags/brands.ts',
    'feature-flags/brands.ts',
    'flags/feature-flags/brands.ts',
  ],
  policy: ['src/policies/brands.ts', 'policies/brands.ts'],
  'environment file': ['.env', '.env.local', '.env.production.local', '.env.template.local'],
  config: ['medusa-config.ts', 'medusa-config.js', 'medusa-config.mts', 'medusa-config.cjs'],
  instrumentation: ['instrumentation.ts', 'instrumentation.js'],
  lockfile: ['package-lock.json', 'yarn.lock', 'pnpm-workspace.yaml', 'bun.lock', 'bun.lockb'],
  'project settings': [
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'vite.config.ts',
    'vite.config.mjs',
  ],
  'package manager settings': ['.npmrc', '.yarnrc.yml', '.pnp.cjs'],
};

const OF_NO_KIND = [
  'README.md',
  'src/lib/price.ts',
  // Hidden by a `_`: the folder of a route, the name of anything else.
  'src/api/_internal/route.ts',
  'src/workflows/_helpers.ts',
  'src/jobs/_later.ts',
  // Medusa looks for files of another form.
  'src/api/route.tsx',
  'src/api/store/routes.ts',
  'src/api/store/middlewares.ts',
  'src/workflows/sync.md',
  'src/workflows/sync.d.ts',
  'src/links/data.json',
  // Medusa looks in other folders.
  'workflows/sync.ts',
  'packages/shop/src/workflows/sync.ts',
  'src/modules/brand/service.ts',
  'src/modules/brand/services/names/long.ts',
  'src/modules/index.ts',
  'src/modules/brand/deep/index.ts',
  'src/providers/sms/models/message.ts',
  'src/a/policies/brands.ts',
  '.env.template',
  '.env.local.example',
  '.envrc',
  'apps/shop/.env',
  'apps/shop/medusa-config.ts',
  'medusa-config.json',
  'instrumentation.mts',
  'apps/shop/package.json',
  '/repository/package-lock.json',
];

describe('the kind of a file', () => {
  it.each(Object.entries(KINDS).flatMap(([kind, paths]) => paths.map((path) => [path, kind])))(
    '%s: %s',
    (path, kind) => {
      expect(kindOf(path)).toBe(kind);
    },
  );

  it.each(OF_NO_KIND)('%s: none', (path) => {
    expect(kindOf(path)).toBeUndefined();
  });
});

describe('entries', () => {
  it.each([
    'medusa-config.ts',
    'instrumentation.ts',
    'src/api/store/brands/route.ts',
    'src/api/middlewares.ts',
    'src/workflows/sync.ts',
    'src/workflows/sync/index.ts',
    'src/subscribers/order-placed.ts',
    'src/jobs/nightly.ts',
    'src/links/brand-product.ts',
    'src/search/brand.ts',
    'src/modules/brand/index.ts',
    'src/providers/sms/index.ts',
    'src/modules/brand/models/brand.ts',
    'src/modules/brand/services/names.ts',
    'src/modules/brand/feature-flags/brands.ts',
    'src/policies/brands.ts',
  ])('%s', (path) => {
    expect(isEntry(path)).toBe(true);
  });

  it.each([
    // Helpers, tests, and files that other programs read.
    'src/lib/price.ts',
    'src/jobs/index.ts',
    'src/links/index.ts',
    'src/modules/brand/models/index.ts',
    'src/jobs/nightly.spec.ts',
    'src/workflows/__tests__/sync.ts',
    'src/subscribers/order.d.ts',
    'src/admin/widgets/note.ts',
    'src/scripts/seed.ts',
    'src/migration-scripts/initial-data.ts',
    'src/modules/brand/migrations/Migration20250101.ts',
    'vite.config.ts',
    'package.json',
    '.env',
    // Medusa reads its config from these two only.
    'medusa-config.mts',
  ])('not %s', (path) => {
    expect(isEntry(path)).toBe(false);
  });
});

it.each([
  ['src/modules/brand/index.ts', 'brand'],
  ['src/modules/brand/services/names.ts', 'brand'],
  ['src/providers/sms/index.ts', 'sms'],
  ['src/modules/shared.ts', undefined],
  ['src/lib/modules/brand/index.ts', undefined],
  ['modules/brand/index.ts', undefined],
])('%s belongs to the Medusa module %s', (path, name) => {
  expect(medusaModuleOf(path)).toBe(name);
});

it.each([
  ['src/subscribers/order-placed.ts', 'order-placed'],
  ['src/subscribers/order/placed.js', 'order/placed'],
  ['src/api/store/brands/[id]/route.ts', 'store/brands/[id]/route'],
  ['src/api/route.ts', 'route'],
])('%s is called %s', (path, name) => {
  expect(resourceNameOf(path)).toBe(name);
});

it.each([
  ['src/api/__tests__/route.ts', true],
  ['src/api/store.spec.ts', true],
  ['src/admin/note.test.tsx', true],
  ['src/lib/test.ts', false],
  ['src/lib/contest.ts', false],
])('%s is a test: %s', (path, is) => {
  expect(isTest(path)).toBe(is);
});

it('knows the files about packages, and the lockfiles, in any folder', () => {
  const about = [
    '/repository/package.json',
    '/repository/.npmrc',
    'C:/a/bun.lockb',
    'tsconfig.json',
  ];
  expect(about.filter(isAboutPackages)).toEqual(about);
  expect(['/repository/src/a.ts', '/repository/.env'].filter(isAboutPackages)).toEqual([]);
  expect(about.filter(isLockfile)).toEqual(['C:/a/bun.lockb']);
});

it.each([
  ['node_modules/x/index.js', true],
  ['packages/a/node_modules', true],
  ['.git/HEAD', true],
  ['.medusa/types/index.d.ts', true],
  ['dist', true],
  ['src/dist/a.ts', false],
  ['src/static/route.ts', false],
  ['distant/a.ts', false],
])('%s is never source: %s', (path, is) => {
  expect(isNeverSource(path)).toBe(is);
});
