import type { ProgramEnd } from '../server/program-run.ts';

/** A program that must not outlive the host, such as the migrations. */
export interface GuardedProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
}

export type HostToGuardian =
  | { readonly type: 'start'; readonly id: number; readonly root: string }
  | { readonly type: 'run'; readonly id: number; readonly program: GuardedProgram }
  | { readonly type: 'stop' };

export type GuardianToHost =
  | { readonly type: 'log'; readonly line: string }
  | ({ readonly type: 'started'; readonly id: number } & StartedPostgres)
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly message: string;
      readonly code?: string;
      readonly hint?: string;
    }
  | { readonly type: 'ran'; readonly id: number; readonly end: ProgramEnd }
  /** PostgreSQL has ended by itself. */
  | { readonly type: 'ended'; readonly output: string };

export interface GuardianReplies {
  start: 'started' | 'failed';
  run: 'ran';
}

export interface StartedPostgres {
  /** PostgreSQL's own. */
  readonly pid: number | undefined;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly version: string;
}
