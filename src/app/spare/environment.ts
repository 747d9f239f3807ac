import { options } from '../link/app-options.ts';
import { EnvironmentRecord } from './environment-record.ts';

/** Set in a spare. It is installed before other files are loaded, because those read variables too. */
export const environment: EnvironmentRecord | undefined = options.isSpare
  ? new EnvironmentRecord(process.env)
  : undefined;
environment?.install();
