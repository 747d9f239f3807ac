import type { EventError, UpdateEvent } from '../../protocol/events.ts';
import { describeReason } from '../../protocol/reason.ts';
import type { UpdateResult } from '../../protocol/update.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { completeLocation } from './error-location.ts';

/** What tools get to know about an update. */
export function toUpdateEvent(
  result: UpdateResult,
  { id, root }: { id: number; root: string },
): UpdateEvent {
  const files = result.files.map((file) => relativeToRoot(root, file));
  switch (result.type) {
    case 'reloaded': {
      const { resources, modules, ms } = result;
      return { event: 'update', id, result: 'reloaded', files, resources, modules, ms };
    }
    case 'restarted': {
      const { reason, ms } = result;
      return {
        event: 'update',
        id,
        result: 'restarted',
        files,
        reason: describeReason(reason),
        ms,
      };
    }
    case 'kept-previous': {
      const error = toEventError(result.error, root);
      const { isDown, ms } = result;
      return {
        event: 'update',
        id,
        result: 'kept-previous',
        files,
        error,
        ...(isDown && { isDown }),
        ms,
      };
    }
    case 'ignored': {
      const { reason, isUndone } = result;
      return {
        event: 'update',
        id,
        result: 'ignored',
        files,
        reason: describeReason(reason),
        ...(isUndone && { isUndone }),
      };
    }
  }
}

export function toEventError(error: SerializedError, root: string): EventError {
  const { message, file, line, column, frame, hint } = completeLocation(error, root);
  const relative = file === undefined ? undefined : relativeToRoot(root, file);
  return { message, file: relative, line, column, frame, hint };
}
