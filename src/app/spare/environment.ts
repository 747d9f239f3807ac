import { options } from '../link/app-options.ts';
import { EnvironmentRecord } from './environment-record.ts';

/** Of a spare; made before anything else is loaded, since also what this process itself is made of reads variables. */
export const environment: EnvironmentRecord | undefined = options.isSpare
  ? new EnvironmentRecord(process.env)
  : undefined;
environment?.install();
