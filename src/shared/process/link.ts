import { inspect } from 'node:util';

/** Every message between processes of this package has a type. */
export interface Message {
  type: string;
}

/** One end of Node's channel between two processes: `process` itself, or a process that it has forked. */
export interface LinkTransport {
  readonly connected?: boolean;
  send?(
    message: unknown,
    handle: undefined,
    options: undefined,
    onSent: (error: Error | null) => void,
  ): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

type OfType<M extends Message, Type> = Extract<M, { type: Type }>;
type WithoutId<M> = M extends unknown ? Omit<M, 'id'> : never;
/** `Replies`: by the type of a request, the types of the messages that may answer it. Both carry the same `id`. */
type ReplyOf<Receives extends Message, Replies> = OfType<Receives, Replies[keyof Replies]>;

type NoReplies = Record<never, never>;

/** One handler for each type of message that is no reply. A message of any other type comes from other code. */
export type MessageHandlers<Receives extends Message, Replies = NoReplies> = {
  [Type in Exclude<Receives, ReplyOf<Receives, Replies>>['type']]: (
    message: OfType<Receives, Type>,
  ) => void;
};

/**
 * Typed messages between two processes of this package, one way or as a request and its reply. Only the process
 * that has forked the other one makes requests: a numeric `id` in a message that it receives is that of a reply.
 */
export class Link<Sends extends Message, Receives extends Message, Replies = NoReplies> {
  readonly #transport: LinkTransport;
  readonly #handlers: Partial<Record<string, (message: never) => void>>;
  /** By the id of a request: gets the reply. */
  readonly #waiting = new Map<number, (reply: Message | undefined) => void>();
  #latestId = 0;
  #isClosed = false;

  constructor(transport: LinkTransport, handlers: MessageHandlers<Receives, Replies>) {
    this.#transport = transport;
    this.#handlers = handlers;
    transport.on('message', (message) => this.#receive(message));
  }

  /** Resolves when the message has left. */
  send(message: Sends): Promise<void> {
    return sendMessage(this.#transport, message);
  }

  /** @returns the reply; undefined if the limit passes, or the link is closed, before there is one */
  request<Type extends keyof Replies & Sends['type']>(
    message: WithoutId<OfType<Sends, Type>> & { type: Type },
    { limitMs }: { limitMs?: number } = {},
  ): Promise<OfType<Receives, Replies[Type]> | undefined> {
    this.#latestId++;
    const id = this.#latestId;
    return new Promise((resolve) => {
      if (this.#isClosed) {
        resolve(undefined);
        return;
      }
      const settle = (reply: Message | undefined) => {
        clearTimeout(limit);
        this.#waiting.delete(id);
        resolve(reply as OfType<Receives, Replies[Type]> | undefined);
      };
      const limit =
        limitMs === undefined ? undefined : setTimeout(() => settle(undefined), limitMs);
      this.#waiting.set(id, settle);
      void this.send({ ...message, id } as unknown as Sends);
    });
  }

  /** To be called when the other process has ended: nobody will reply any more. */
  close(): void {
    this.#isClosed = true;
    for (const settle of this.#waiting.values()) {
      settle(undefined);
    }
  }

  // Both ends come from the same version of one package: its type says enough about the rest of a message.
  #receive(message: unknown): void {
    if (!isMessage(message)) {
      return;
    }
    const settle = 'id' in message ? this.#waiting.get(message.id as number) : undefined;
    if (settle) {
      settle(message);
    } else if (Object.hasOwn(this.#handlers, message.type)) {
      try {
        this.#handlers[message.type]?.(message as never);
      } catch (error) {
        process.stderr.write(`medusa-vite: ${message.type} failed: ${inspect(error)}\n`);
      }
    }
  }
}

/** Resolves when the message has left, or cannot: the exit of the other process shows elsewhere. */
export function sendMessage(transport: LinkTransport, message: Message): Promise<void> {
  return new Promise((resolve) => {
    if (transport.connected && transport.send) {
      transport.send(message, undefined, undefined, () => resolve());
    } else {
      resolve();
    }
  });
}

function isMessage(value: unknown): value is Message {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}
