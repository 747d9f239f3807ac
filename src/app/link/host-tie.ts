import { Worker } from 'node:worker_threads';
import { Pace } from '../spare/pace.ts';
import { printStray } from './print-stray.ts';

export interface HostTieOptions {
  /** Ends this process, in its own way. */
  end(cause: 'SIGTERM' | 'disconnect'): void;
  /**
   * Stock Medusa goes on after a stray rejection or error of user code, and so does this.
   * @default prints it
   */
  reportStray?(error: unknown): void;
  /** Follows what the host says of it. */
  pace?: Pace;
}

/** Makes a process live as long as its host wants it, and no longer. */
export function tieToHost({
  end,
  reportStray = printStray,
  pace = new Pace(),
}: HostTieOptions): void {
  process.on('unhandledRejection', reportStray);
  process.on('uncaughtException', reportStray);
  // Ctrl-C and a closed terminal reach the whole process group; the host decides how this process ends.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('disconnect', () => end('disconnect'));
  // A terminal that is closed takes no more output; that is no reason to end in the middle of a request.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  // The main thread may not notice that the host is gone, as in an endless loop.
  const watch = new Worker(new URL('./host-watch.js', import.meta.url), {
    execArgv: [],
    env: {},
    workerData: pace.buffer,
  });
  watch.on('error', reportStray);
  watch.unref();
}
