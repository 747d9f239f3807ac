import { CHANNEL_FD, LIFELINE_FD } from '../../protocol/channel.ts';
import { ForkedProcess, type ForkOptions } from '../../shared/process/forked-process.ts';
import type { Message, MessageHandlers } from '../../shared/process/link.ts';

export interface ProjectForkOptions extends Omit<ForkOptions, 'stdio'> {
  /** Whether the process's stdout goes to the host's stderr, because the host's stdout carries JSON. */
  isStdoutTaken: boolean;
}

/** Forks a process that executes code of the project: with a pipe for modules, and a lifeline to the host. */
export function forkProjectProcess<Sends extends Message, Receives extends Message, Replies>(
  { isStdoutTaken, ...options }: ProjectForkOptions,
  handlers: MessageHandlers<Receives, Replies>,
): ForkedProcess<Sends, Receives, Replies> {
  const stdio: ForkOptions['stdio'] = ['ignore', isStdoutTaken ? 2 : 'inherit', 'pipe', 'ipc'];
  stdio[CHANNEL_FD] = 'pipe';
  stdio[LIFELINE_FD] = 'pipe';
  const forked = new ForkedProcess<Sends, Receives, Replies>({ ...options, stdio }, handlers);
  // The end of the lifeline tells the process that the host is gone, so the host leaves it open.
  forked
    .pipe(LIFELINE_FD)
    ?.on('error', () => {})
    .resume();
  return forked;
}
