import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProduct, copyProduct } from '../test/e2e/support/built-product.ts';
import { createDatabase } from '../test/e2e/support/database.ts';
import { createProject } from '../test/e2e/support/project.ts';
import { REPOSITORY } from '../test/e2e/support/repository.ts';
import { startTemplateDatabase } from '../test/e2e/support/template-database.ts';
import type { BenchContext } from './bench-context.ts';
import {
  type BenchOptions,
  parseBenchOptions,
  RESULTS,
  SUITES,
  type SuiteName,
} from './bench-options.ts';
import { missingRows } from './completeness.ts';
import { describeMachine } from './machine.ts';
import { renderPlot } from './plot.ts';
import { renderReport } from './report.ts';
import { type Results, type Rows, readResults, writeResults } from './results-file.ts';
import { measureEdits } from './suites/edits.ts';
import { measureMemory } from './suites/memory.ts';
import { measureScale } from './suites/scale.ts';
import { measureThroughput } from './suites/throughput.ts';

const RUNS: { [S in SuiteName]: (context: BenchContext) => Promise<Rows[S]> } = {
  edits: measureEdits,
  scale: measureScale,
  throughput: measureThroughput,
  memory: measureMemory,
};

// The process groups of the servers, and the database, end with this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}

const temporary = () => mkdtempSync(join(tmpdir(), 'medusa-vite-bench-'));
const options = parseBenchOptions(process.argv.slice(2), temporary);
if (options) {
  await main(options);
}
// vite-node would keep the event loop alive.
process.exit();

async function main(options: BenchOptions): Promise<void> {
  const startedAt = performance.now();
  const log = (line: string) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${String(seconds).padStart(5)} s  ${line}`);
  };
  log('building, and making a database');
  buildProduct();
  // Describes the machine first: the commit may change during a long run.
  const machine = describeMachine();
  const product = copyProduct();
  const template = await startTemplateDatabase();
  const missing: string[] = [];
  try {
    mkdirSync(options.out, { recursive: true });
    for (const suite of options.suites) {
      log(`## ${suite}`);
      const shop = createProject();
      cpSync(join(import.meta.dirname, 'project'), shop.root, { recursive: true });
      if (options.isQuick) {
        // The dashboard is half the cost of a start.
        writeFileSync(join(shop.root, '.env'), 'DISABLE_MEDUSA_ADMIN=true\n');
      }
      const database = await createDatabase(template.url);
      try {
        const context = { options, shop, databaseUrl: database.url, cli: product.cli, log };
        const rows = await RUNS[suite](context);
        const date = new Date().toISOString();
        writeResults(options.out, { suite, date, machine, rows });
        missing.push(...missingRows(suite, rows, options).map((row) => `${suite}: ${row}`));
      } catch (error) {
        // The results of the other suites are still worth having.
        missing.push(`${suite}: ${error instanceof Error ? error.message : error}`);
      } finally {
        await database.drop();
        shop.dispose();
      }
    }
  } finally {
    await template.stop();
    product.dispose();
  }
  const results = readResults(options.out, SUITES);
  writeFileSync(join(options.out, 'results.md'), renderReport(results));
  if (results.edits) {
    writePlot(results.edits, options);
  }
  log(`written to ${options.out}`);
  if (missing.length > 0) {
    throw new Error(`Not measured:\n${missing.join('\n')}`);
  }
}

/** Writes the plot; for results that go into the repository, to the place where README shows it. */
function writePlot({ rows }: Results<'edits'>, { out }: BenchOptions): void {
  const folder = out === RESULTS ? join(REPOSITORY, 'docs') : out;
  writeFileSync(join(folder, 'bench.svg'), renderPlot(rows));
}
