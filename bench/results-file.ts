import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SuiteName } from './bench-options.ts';
import type { Machine } from './machine.ts';
import type { EditRow } from './suites/edits.ts';
import type { MemoryRow } from './suites/memory.ts';
import type { ScaleRow } from './suites/scale.ts';
import type { ThroughputRow } from './suites/throughput.ts';

/** The rows that each suite measures. */
export interface Rows {
  edits: EditRow[];
  scale: ScaleRow[];
  throughput: ThroughputRow[];
  memory: MemoryRow[];
}

/** One suite's results, as in `<suite>.json`. */
export interface Results<S extends SuiteName = SuiteName> {
  suite: S;
  /** In ISO 8601. */
  date: string;
  machine: Machine;
  rows: Rows[S];
}

/** The latest results of each suite. */
export type AllResults = { [S in SuiteName]?: Results<S> };

export function writeResults(folder: string, results: Results): void {
  const json = JSON.stringify(results, null, 2);
  // Puts lists of numbers on one line, so that a diff has one line for each new measurement.
  const compact = json.replace(/\[[\s\d.,nul-]+\]/g, (list) => list.replace(/\s+/g, ' '));
  writeFileSync(join(folder, `${results.suite}.json`), `${compact}\n`);
}

export function readResults(folder: string, suites: readonly SuiteName[]): AllResults {
  const entries = suites.flatMap((suite) => {
    const file = join(folder, `${suite}.json`);
    return existsSync(file) ? [[suite, JSON.parse(readFileSync(file, 'utf8'))]] : [];
  });
  return Object.fromEntries(entries) as AllResults;
}
