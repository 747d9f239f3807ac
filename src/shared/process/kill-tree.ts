import { type ChildProcess, spawn } from 'node:child_process';

/** Ends a child at once. On Windows with all that it has started, which does not end with it there. */
export function killTree(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], {
      stdio: 'ignore',
      windowsHide: true,
    })
      .on('error', () => child.kill('SIGKILL'))
      .unref();
  } else {
    child.kill('SIGKILL');
  }
}
