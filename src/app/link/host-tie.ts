import { Worker } from 'node:worker_threads';
import { serializeError } from '../../shared/serialized-error.ts';
import { Pace } from '../spare/pace.ts';

/** Makes a process live as long as its host wants it, and no longer. */
export function tieToHost({
  end,
  reportStray = printStray,
  pace = new Pace(),
}: {
  /** Ends this process, in its own way. */
  end(cause: 'SIGTERM' | 'disconnect'): void;
  /** For an error that nobody has caught. */
  reportStray?(error: unknown): void;
  /** The host sets it. */
  pace?: Pace;
}): void {
  // Stock Medusa goes on after an error of user code that nobody has caught.
  process.on('unhandledRejection', reportStray);
  process.on('uncaughtException', reportStray);
  // Ctrl-C and a closed terminal reach the whole process group; the host decides how this process ends.
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('disconnect', () => end('disconnect'));
  // A closed terminal takes no more output, which is no reason to end in the middle of a request.
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

/** Prints an error that nobody has caught, and that the process outlives. */
export function printStray(error: unknown): void {
  const { stack, message } = serializeError(error);
  process.stderr.write(`${stack ?? message}\n`);
}
