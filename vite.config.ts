import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** The message alone has to tell what was wrong: a report of CI has nothing else. */
const chaiConfig = { truncateThreshold: 1_000 };

/** What takes a moment takes many on a machine that is busy with other things; none asserts a time. */
const patient = {
  chaiConfig,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 30_000 } },
};

const processors = availableParallelism();
/**
 * Of all projects together. A Medusa that boots keeps a processor busy by itself, and on a machine with too many of them even
 * patient tests run out of time; a person has other things to do meanwhile. Each takes up to 1.5 GB of memory.
 * `VITEST_MAX_WORKERS` says otherwise.
 */
const filesAtATime = Math.min(process.env.CI ? processors : Math.ceil(processors / 2), 4);

/** Every file runs a Medusa of its own, on a copy of one database. */
const withMedusa = {
  ...patient,
  globalSetup: ['test/e2e/support/global-setup.ts'],
  setupFiles: ['test/e2e/support/report-setup-times.ts'],
  testTimeout: 120_000,
  hookTimeout: 240_000,
};

const OLDEST_MEDUSA = '2.12.1';

/** What differs from one Medusa to the next: everything that touches its internals. */
const OF_MEDUSA = [
  // One for each kind of resource, since each has a registry of its own.
  'routes',
  'workflows',
  'running-workflows',
  'subscribers',
  'jobs',
  'modules',
  'links',
  // Its bundler is called by us.
  'admin',
  // What its loaders read of a file, and in which folders they look.
  'scope',
  'hot-api',
  'rules',
  // What it holds on to after a reload.
  'leaks',
  // How it ends, and how it is followed by the next one.
  'load',
  'making-way',
];

/** What is run through each launcher; all else is the same code behind it. */
const OF_EACH_LAUNCHER = [
  // Whose watcher and whose transforms they are: a kind of resource, a file that is none, one that only restarts.
  'routes',
  'scope',
  'restarts',
  // `.env` is read by Vite too.
  'env',
  // Who ends whom.
  'ends',
  // Who complains, and where options and rules come from.
  'bad-input',
  'rules-examples',
];

/** The test files of `names`, each with a Medusa. */
function filesWithMedusa(names: string[]): string[] {
  return names.map((name) => `test/e2e/${name}.test.ts`);
}

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: filesAtATime,
    reporters: ['default', './test/report.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...patient } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...patient } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/matrix.test.ts'],
          ...withMedusa,
        },
      },
      ...(['vite-node', 'vite'] as const).map((launcher) => ({
        test: {
          name: `launcher-${launcher}`,
          include: filesWithMedusa(OF_EACH_LAUNCHER),
          env: { MEDUSA_VITE_LAUNCHER: launcher },
          ...withMedusa,
        },
      })),
      {
        test: {
          name: 'oldest',
          include: filesWithMedusa(OF_MEDUSA),
          env: { MEDUSA_VERSION: OLDEST_MEDUSA },
          ...withMedusa,
        },
      },
      // The other two cells are above: Vite 8 with the newest Medusa is `e2e`, with the oldest `oldest`.
      ...[undefined, OLDEST_MEDUSA].map((medusa) => ({
        test: {
          name: medusa ? 'matrix-vite-7-oldest' : 'matrix-vite-7',
          include: ['test/e2e/matrix.test.ts'],
          env: {
            MEDUSA_VITE_LAUNCHER: 'vite-node',
            VITE_VERSION: '7.3',
            ...(medusa && { MEDUSA_VERSION: medusa }),
          },
          ...withMedusa,
        },
      })),
      {
        // How the other Vite compiles what the runner evaluates. Its package is the one that Medusa's admin has.
        test: {
          name: 'integration-vite-7',
          include: ['test/integration/runner/*.test.ts'],
          env: { PROJECT_VITE: viteOf('@medusajs/admin-bundler') },
          ...patient,
        },
      },
      {
        // Need a browser and a Redis that npm does not bring: .ci/run installs them.
        test: { name: 'system', include: ['test/system/**/*.test.ts'], ...withMedusa },
      },
    ],
  },
});

/** The folder of the Vite that a package depends on. */
function viteOf(name: string): string {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve(`${name}/package.json`));
  return dirname(fromPackage.resolve('vite/package.json'));
}

export default config;
