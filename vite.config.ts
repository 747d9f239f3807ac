import { createRequire } from 'node:module';
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

/** Every file runs a Medusa of its own: side by side they would only measure each other. */
const withMedusa = {
  ...patient,
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 240_000,
};

/** What differs from one Medusa to the next: everything that touches its internals. */
const OF_MEDUSA = [
  'routes',
  'workflows',
  'running-workflows',
  'subscribers',
  'jobs',
  'modules',
  'links',
  'hot-api',
  'admin',
  'scope',
  'rules',
  'leaks',
  'load',
  'making-way',
];

/** What is run through each launcher; all else is the same code behind it. */
const OF_EACH_LAUNCHER = [
  'routes',
  'env',
  'ends',
  'restarts',
  'scope',
  'bad-input',
  'rules-examples',
];

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...patient } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...patient } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/matrix.test.ts'],
          globalSetup: ['test/e2e/support/global-setup.ts'],
          ...withMedusa,
        },
      },
      {
        // Which way is said by MEDUSA_VITE_LAUNCHER.
        test: {
          name: 'launcher',
          include: OF_EACH_LAUNCHER.map((name) => `test/e2e/${name}.test.ts`),
          globalSetup: ['test/e2e/support/global-setup.ts'],
          ...withMedusa,
        },
      },
      {
        // On the host and the Medusa that VITE_VERSION and MEDUSA_VERSION name.
        test: {
          name: 'matrix',
          include: ['test/e2e/matrix.test.ts'],
          globalSetup: ['test/e2e/support/global-setup.ts'],
          env: { MEDUSA_VITE_LAUNCHER: 'vite-node' },
          ...withMedusa,
        },
      },
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
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/e2e/support/global-setup.ts'],
          ...withMedusa,
        },
      },
      {
        test: {
          name: 'oldest',
          include: OF_MEDUSA.map((name) => `test/e2e/${name}.test.ts`),
          globalSetup: ['test/e2e/support/oldest-setup.ts'],
          env: { MEDUSA_VERSION: '2.12.1' },
          ...withMedusa,
        },
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
