import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProduct, copyProduct } from '../test/e2e/support/built-product.ts';
import { createDatabase } from '../test/e2e/support/database.ts';
import { createProject } from '../test/e2e/support/project.ts';
import { startTemplateDatabase } from '../test/e2e/support/template-database.ts';
import type { BenchContext } from './bench-context.ts';
import { type BenchOptions, parseBenchOptions, type SuiteName } from './bench-options.ts';
import { describeMachine } from './machine.ts';
import { measureEdits } from './suites/edits.ts';

const SUITE_RUNS: Partial<Record<SuiteName, (context: BenchContext) => Promise<unknown[]>>> = {
  edits: measureEdits,
};

// The servers' groups end with this process, and the database with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}

const temporary = () => mkdtempSync(join(tmpdir(), 'medusa-vite-bench-'));
const options = parseBenchOptions(process.argv.slice(2), temporary);
if (options) {
  await main(options);
}
// vite-node keeps the event loop busy.
process.exit();

async function main(options: BenchOptions): Promise<void> {
  const startedAt = performance.now();
  const log = (line: string) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${String(seconds).padStart(5)} s  ${line}`);
  };
  log('building, and making a database');
  buildProduct();
  const product = copyProduct();
  const template = await startTemplateDatabase();
  const shop = createProject();
  try {
    cpSync(join(import.meta.dirname, 'project'), shop.root, { recursive: true });
    mkdirSync(options.out, { recursive: true });
    for (const suite of options.suites) {
      log(`## ${suite}`);
      const database = await createDatabase(template.url);
      try {
        const context = { options, shop, databaseUrl: database.url, cli: product.cli, log };
        const rows = (await SUITE_RUNS[suite]?.(context)) ?? [];
        const results = { suite, date: new Date().toISOString(), machine: describeMachine(), rows };
        writeFileSync(join(options.out, `${suite}.json`), `${JSON.stringify(results, null, 2)}\n`);
      } finally {
        await database.drop();
      }
    }
    log(`written to ${options.out}`);
  } finally {
    await template.stop();
    shop.dispose();
    product.dispose();
  }
}
