import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { LIFELINE_FD } from '../../protocol/channel.ts';
import { Pace } from '../spare/pace.ts';

/** The main thread ends by itself once the IPC channel is closed, unless it is blocked. It has this long. */
const END_LIMIT_MS = 4_500;

/**
 * The program of a thread that goes on while a package loads, or an endless loop of user code blocks the main thread.
 * The host holds the other end of the pipe; however the host ends, the pipe ends with it.
 */
const pace = new Pace(workerData as SharedArrayBuffer);
const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
lifeline.on('error', () => {});
lifeline.on('close', () => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_LIMIT_MS);
});
lifeline.on('data', (data: Buffer) => {
  const [latest] = data.subarray(-1);
  if (latest !== undefined) {
    pace.set(latest);
  }
});
