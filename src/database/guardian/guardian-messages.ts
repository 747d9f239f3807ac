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
  | { readonly type: 'start'; readonly root: string }
  | { readonly type: 'run'; readonly id: number; readonly program: GuardedProgram }
  | { readonly type: 'stop' };

export type GuardianToHost =
  | { readonly type: 'log'; readonly line: string }
  | {
      readonly type: 'started';
      /** PostgreSQL's own. */
      readonly pid: number | undefined;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly version: string;
    }
  | {
      readonly type: 'failed';
      readonly message: string;
      readonly code?: string;
      readonly hint?: string;
    }
  | { readonly type: 'ran'; readonly id: number; readonly end: ProgramEnd }
  | { readonly type: 'ended'; readonly output: string };

const FROM_HOST: readonly string[] = ['start', 'run', 'stop'] satisfies HostToGuardian['type'][];
const FROM_GUARDIAN: readonly string[] = [
  'log',
  'started',
  'failed',
  'ran',
  'ended',
] satisfies GuardianToHost['type'][];

// Both ends are the same version of one package, and nobody else can write to their channel: the type of a message
// says enough about the rest of it.
export function isHostToGuardian(message: unknown): message is HostToGuardian {
  return FROM_HOST.includes(typeOf(message));
}

export function isGuardianToHost(message: unknown): message is GuardianToHost {
  return FROM_GUARDIAN.includes(typeOf(message));
}

function typeOf(message: unknown): string {
  return message instanceof Object && 'type' in message ? String(message.type) : '';
}
