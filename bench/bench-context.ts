import type { Project } from '../test/e2e/support/project.ts';
import type { BenchOptions } from './bench-options.ts';

/** The context of every suite. */
export interface BenchContext {
  options: BenchOptions;
  /** A copy of the shop, with further files that the requests need. */
  shop: Project;
  /** The database is migrated and seeded. */
  databaseUrl: string;
  /** CLI of medusa-vite: a copy of the build from when the run began. */
  cli: string;
  log(line: string): void;
}
