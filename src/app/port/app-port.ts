import type { AppToHost } from '../../protocol/messages.ts';
import { AdminForward } from './admin-forward.ts';
import { interceptListen } from './listen-interception.ts';
import type { ReceivedConnections } from './received-connections.ts';
import { RequestGate } from './request-gate.ts';

/** How long a stop waits for requests in flight; the host kills at 5 s. */
const DRAIN_LIMIT_MS = 4_000;

/** The app's port, as far as this process has it: the host listens, and hands its connections over. */
export class AppPort {
  readonly gate: RequestGate = new RequestGate();
  readonly admin: AdminForward;
  #connections: ReceivedConnections | undefined;

  constructor(send: (message: AppToHost) => void) {
    this.admin = new AdminForward(send);
  }

  /** To be called before Medusa listens. */
  intercept(port: number): void {
    this.#connections = interceptListen({
      port,
      onServer: (server) => this.gate.attach(server),
    });
  }

  /** Takes no more requests, and finishes those that are there. */
  async drain(): Promise<void> {
    this.gate.release();
    await this.#connections?.drain(DRAIN_LIMIT_MS);
  }
}
