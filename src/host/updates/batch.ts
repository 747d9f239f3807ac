import type { Change } from '../../shared/change.ts';

/** Changes that settled together. */
export interface Batch {
  changes: Change[];
  /** Files that were written again with the same content. */
  unchanged: string[];
  /** When the first event of the batch came in; `performance.now()`. */
  since: number;
  /** When the last event came in. */
  until: number;
}

/** Makes a batch whose events came in just now. */
export function createBatch(changes: Change[]): Batch {
  const now = performance.now();
  return { changes, unchanged: [], since: now, until: now };
}

export function filesOf({ changes, unchanged }: Batch): string[] {
  return [...changes.map(({ file }) => file), ...unchanged];
}

export function mergeBatches(first: Batch, second: Batch): Batch {
  const changes = mergeChanges(first.changes, second.changes);
  return {
    changes,
    unchanged: [...new Set([...first.unchanged, ...second.unchanged])].filter(
      (file) => !changes.some((change) => change.file === file),
    ),
    since: first.since,
    until: second.until,
  };
}

export function mergeChanges(first: Change[], second: Change[]): Change[] {
  const changes = new Map(first.map((change) => [change.file, change]));
  for (const change of second) {
    const earlier = changes.get(change.file);
    // A new file that is written again is still new.
    const isStillNew = earlier?.change === 'create' && change.change === 'update';
    changes.set(change.file, { ...earlier, ...change, ...(isStillNew && { change: 'create' }) });
  }
  return [...changes.values()];
}
