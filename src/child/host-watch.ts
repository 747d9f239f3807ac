import { Socket } from 'node:net';
import { LIFELINE_FD } from '../protocol/channel.ts';

/** The main thread ends by itself once the IPC channel is closed, if it can; it has this long. */
const END_LIMIT_MS = 4_500;

/**
 * Runs in a thread of its own, which turns also while user code keeps the main thread in an endless loop.
 * The host holds the other end of the pipe; however it ends, the pipe ends with it.
 */
const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
lifeline.on('error', () => {});
lifeline.on('close', () => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_LIMIT_MS);
});
lifeline.resume();
