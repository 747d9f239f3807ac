import { type ChildProcess, spawnSync } from 'node:child_process';

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last part of stdout and stderr together. */
  readonly output: string;
}

/** Enough for a stack trace and the lines before it, small enough for one message. */
const OUTPUT_LIMIT = 16_000;
const KILL_WAIT_MS = 2000;

/** Resolves at the end of a program; rejects when it could not be started. */
export function waitForEnd(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    let output = '';
    const keep = (chunk: unknown): void => {
      output = (output + String(chunk)).slice(-OUTPUT_LIMIT);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
}

/** Ends a program that was spawned `detached`, with all that it has started, before it returns: this process may end next. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(child.pid), '/t', '/f'], {
      stdio: 'ignore',
      timeout: KILL_WAIT_MS,
      windowsHide: true,
    });
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
