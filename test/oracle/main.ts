import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { TestProject } from 'vitest/node';
import { copyProduct } from '../e2e/support/built-product.ts';
import setUp from '../e2e/support/global-setup.ts';
import type { FreshKind } from './apps.ts';
import type { Edit } from './edits.ts';
import { run } from './run.ts';
import { describe, replay, shrink } from './shrink.ts';

const USAGE = `npm run test:oracle -- [options]
  --seed <n>         of the edits; a random one by default
  --edits <n>        how many (300)
  --fresh-every <n>  edits between two comparisons with a fresh app (20)
  --fresh <kind>     product: our own CLI without HMR (default); stock: Medusa's own \`start\`
  --shrink <minutes> how long to look for a shorter history that fails (10)
  --replay <file>    repeats a history, one edit as JSON per line, as a failure prints it`;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    seed: { type: 'string' },
    edits: { type: 'string', default: '300' },
    'fresh-every': { type: 'string', default: '20' },
    fresh: { type: 'string', default: 'product' },
    shrink: { type: 'string', default: '10' },
    replay: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// The process groups of the dev servers, and the database, end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(1));
}

if (values.help) {
  console.log(USAGE);
} else {
  await main();
}
// The runner of this script would keep the event loop alive.
process.exit();

async function main(): Promise<void> {
  const provided: Record<string, string> = {};
  const tearDown = await setUp({
    provide: (key: string, value: string) => {
      provided[key] = value;
    },
  } as unknown as TestProject);
  const product = copyProduct();
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const options = {
    templateDatabaseUrl: provided.templateDatabaseUrl ?? '',
    publishableKey: provided.publishableKey ?? '',
    cli: product.cli,
    fresh: values.fresh as FreshKind,
    freshEvery: Number(values['fresh-every']),
    log: (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
  };
  try {
    if (values.replay !== undefined) {
      const history = readFileSync(values.replay, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Edit);
      const finding = await replay(history, options);
      console.log(finding ? describe({ history, finding }) : 'No difference.');
      process.exitCode = finding ? 1 : 0;
      return;
    }
    options.log(`seed ${seed}, ${values.edits} edits`);
    const { failure, statistics } = await run({ ...options, seed, edits: Number(values.edits) });
    options.log(JSON.stringify(statistics));
    if (!failure) {
      options.log('no difference');
      return;
    }
    process.exitCode = 1;
    console.log(describe({ ...failure, history: failure.history.slice(-3) }));
    options.log('looking for the shortest history that fails');
    const limitMs = Number(values.shrink) * 60_000;
    const shortest = await shrink(failure, { ...options, limitMs });
    const file = join(tmpdir(), `oracle-${seed}.jsonl`);
    writeFileSync(file, shortest.history.map((edit) => JSON.stringify(edit)).join('\n'));
    console.log(`\n${describe(shortest)}\n\nRepeat it: npm run test:oracle -- --replay ${file}`);
  } finally {
    product.dispose();
    await tearDown();
  }
}
