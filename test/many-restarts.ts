import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const DEFAULT_RESTARTS = '200';

/** The long run of `test/e2e/many-restarts.test.ts`: prints what the host holds after each restart. */
const { values } = parseArgs({
  options: { restarts: { type: 'string', default: DEFAULT_RESTARTS } },
});
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', '--project', 'e2e', 'test/e2e/many-restarts.test.ts'],
  {
    env: { ...process.env, RESTARTS: values.restarts },
    stdio: 'inherit',
    shell: process.platform === 'win32',
  },
);
process.exitCode = status ?? 1;
