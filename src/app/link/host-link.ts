import type { AppToHost, HostToApp } from '../../protocol/messages.ts';
import { Link, type MessageHandlers, sendMessage } from '../../shared/process/link.ts';

/** Resolves when the message has left. A host that is gone is noticed by `disconnect`, not here. */
export function sendToHost(message: AppToHost): Promise<void> {
  return sendMessage(process, message);
}

export type HostMessageHandlers = MessageHandlers<HostToApp>;

/** To be called once. */
export function onHostMessage(handlers: HostMessageHandlers): void {
  new Link<AppToHost, HostToApp>(process, handlers);
}
