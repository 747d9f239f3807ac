// npm run test:leaks -- --reloads 1000
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { reloads: { type: 'string', default: '1000' } } });
const vitest = dirname(createRequire(import.meta.url).resolve('vitest/package.json'));
const { status } = spawnSync(
  process.execPath,
  [join(vitest, 'vitest.mjs'), 'run', '--project', 'e2e', 'test/e2e/leaks.test.ts'],
  {
    stdio: 'inherit',
    env: { ...process.env, MEDUSA_VITE_TEST_RELOADS: values.reloads },
  },
);
process.exitCode = status ?? 1;
