import { type ChildProcess, spawn } from 'node:child_process';

/** Kills a process, on Windows with all that it has started: elsewhere those end by themselves. */
export function killTree(forked: ChildProcess): void {
  if (forked.pid === undefined) {
    return;
  }
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(forked.pid), '/T', '/F'], {
      stdio: 'ignore',
      windowsHide: true,
    })
      .on('error', () => forked.kill('SIGKILL'))
      .unref();
  } else {
    forked.kill('SIGKILL');
  }
}
