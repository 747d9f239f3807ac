import type { EventError, UpdateEvent } from '../../protocol/events.ts';
import { describeReason } from '../../protocol/reason.ts';
import type { UpdateResult } from '../../protocol/update.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { completeLocation } from './error-location.ts';

/** Describes an update for tools. */
export function toUpdateEvent(
  result: UpdateResult,
  { id, root }: { id: number; root: string },
): UpdateEvent {
  const files = result.files.map((file) => relativeToRoot(root, file));
  const event = { event: 'update', id } as const;
  switch (result.type) {
    case 'reloaded': {
      const { type, resources, modules, ms } = result;
      return { ...event, result: type, files, resources, modules, ms };
    }
    case 'restarted': {
      const { type, ms } = result;
      return { ...event, result: type, files, reason: describeReason(result.reason), ms };
    }
    case 'kept-previous': {
      const { type, isDown, ms } = result;
      const error = toEventError(result.error, root);
      return { ...event, result: type, files, error, ...(isDown && { isDown }), ms };
    }
    case 'ignored': {
      const { type, isUndone } = result;
      const reason = describeReason(result.reason);
      return { ...event, result: type, files, reason, ...(isUndone && { isUndone }) };
    }
  }
}

export function toEventError(error: SerializedError, root: string): EventError {
  const { message, file, line, column, frame, hint } = completeLocation(error, root);
  const relative = file === undefined ? undefined : relativeToRoot(root, file);
  return { message, file: relative, line, column, frame, hint };
}
