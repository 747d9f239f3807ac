import { inspect } from 'node:util';
import type { AppToHost, HostToApp } from '../../protocol/messages.ts';

/** Sends to the host; a host that is gone is noticed by `disconnect`, not here. */
export function sendToHost(message: AppToHost): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) {
      resolve();
      return;
    }
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

export type HostMessageHandlers = {
  [T in HostToApp['type']]?: (message: Extract<HostToApp, { type: T }>) => void;
};

export function onHostMessage(handlers: HostMessageHandlers): void {
  process.on('message', (message: HostToApp) => {
    const handler = handlers[message?.type] as ((message: HostToApp) => void) | undefined;
    try {
      handler?.(message);
    } catch (error) {
      process.stderr.write(`medusa-vite: ${message.type} failed: ${inspect(error)}\n`);
    }
  });
}
