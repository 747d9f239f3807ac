import type { Project } from '../test/e2e/support/project.ts';
import type { BenchOptions } from './bench-options.ts';

/** What every suite works with. */
export interface BenchContext {
  options: BenchOptions;
  /** A copy of the shop with what the questions need besides. */
  shop: Project;
  /** Migrated and seeded. */
  databaseUrl: string;
  /** Of medusa-vite: a copy of what was built when the run began. */
  cli: string;
  log(line: string): void;
}
