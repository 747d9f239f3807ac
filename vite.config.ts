import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Every file runs a Medusa of its own: side by side they would only measure each other. */
const withMedusa = { fileParallelism: false, testTimeout: 60_000, hookTimeout: 180_000 };

/** What differs from one Medusa to the next: everything that touches its internals. */
const OF_MEDUSA = ['routes', 'workflows', 'subscribers', 'jobs', 'modules', 'links', 'hot-api'];

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'] } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/support/global-setup.ts'],
          ...withMedusa,
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

export default config;
