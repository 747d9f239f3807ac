import type { Socket } from 'node:net';

/**
 * One connection of a client. The host keeps its copy of the socket while an app serves the connection, so that
 * the client notices nothing when the app dies between two requests.
 */
export interface ClientConnection {
  readonly socket: Socket;
  /** Whether an app has served it before. */
  isReused: boolean;
  /** Running while the connection waits for an app. */
  waitTimer: NodeJS.Timeout | undefined;
  /** Head of a request that an app had read when it was killed, for the next one; set at most once. */
  repeat?: string;
  /** How often the socket did not reach the app. */
  failedHandovers: number;
}

/** The public API can pause the stream, but the kernel's buffer would still be read once more. */
interface ReadableHandle {
  reading: boolean;
  readStart(): void;
  readStop(): void;
}

export function startReading(socket: Socket): void {
  socket.resume();
  const handle = readableHandle(socket);
  if (handle !== undefined && !handle.reading) {
    handle.reading = true;
    handle.readStart();
  }
}

/** Returns false if that is impossible: then the socket must not be handed over. */
export function stopReading(socket: Socket): boolean {
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
