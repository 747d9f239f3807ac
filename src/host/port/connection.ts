import type { Socket } from 'node:net';

/**
 * One connection of a client. The host keeps its copy of the socket while a child serves the connection, so
 * that the client notices nothing when the child dies between two requests.
 */
export interface Connection {
  readonly socket: Socket;
  /** Whether a child served it before. */
  reused: boolean;
  /** Running while the connection waits for a child. */
  waitTimer: NodeJS.Timeout | undefined;
  /** Head of a request that a child had read when it was killed, for the next one; set at most once. */
  repeat?: string;
  /** How often the socket did not reach the child. */
  failedHandovers: number;
}

/** The public API can pause the stream, but the kernel's buffer would still be read once more. */
interface ReadableHandle {
  reading: boolean;
  readStart(): void;
  readStop(): void;
}

export function startReading({ socket }: Connection): void {
  socket.resume();
  const handle = readableHandle(socket);
  if (handle !== undefined && !handle.reading) {
    handle.reading = true;
    handle.readStart();
  }
}

/** Returns false if that is impossible: then the socket must not be given away. */
export function stopReading({ socket }: Connection): boolean {
  const handle = readableHandle(socket);
  if (handle === undefined) {
    return false;
  }
  handle.readStop();
  handle.reading = false;
  socket.pause();
  return true;
}

function readableHandle(socket: Socket): ReadableHandle | undefined {
  const { _handle: handle } = socket as unknown as { _handle: Partial<ReadableHandle> | null };
  return typeof handle?.readStart === 'function' && typeof handle.readStop === 'function'
    ? (handle as ReadableHandle)
    : undefined;
}
