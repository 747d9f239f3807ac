import { inspect } from 'node:util';
import type { ChildToHost, HostToChild } from '../../protocol/messages.ts';

/** Sends to the host; a host that is gone is noticed by `disconnect`, not here. */
export function sendToHost(message: ChildToHost): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) {
      resolve();
      return;
    }
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

export type HostMessageHandlers = {
  [T in HostToChild['type']]?: (message: Extract<HostToChild, { type: T }>) => void;
};

export function onHostMessage(handlers: HostMessageHandlers): void {
  process.on('message', (message: HostToChild) => {
    const handler = handlers[message?.type] as ((message: HostToChild) => void) | undefined;
    try {
      handler?.(message);
    } catch (error) {
      process.stderr.write(`medusa-vite: ${message.type} failed: ${inspect(error)}\n`);
    }
  });
}
