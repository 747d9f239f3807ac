import { expect, test } from 'vitest';
import {
  type Batch,
  createBatch,
  filesOf,
  mergeBatches,
} from '../../../../src/host/updates/batch.ts';
import type { FileChange } from '../../../../src/shared/change.ts';

const batch = (at: number, changes: [string, FileChange][], unchanged: string[] = []): Batch => ({
  changes: changes.map(([file, change]) => ({ file, change })),
  unchanged,
  since: at,
  until: at + 1,
});

test('two batches become one that lasts from the first event to the last', () => {
  const merged = mergeBatches(batch(1, [['a', 'update']], ['b', 'c']), batch(5, [['b', 'update']]));
  expect(merged).toEqual({
    changes: [
      { file: 'a', change: 'update' },
      { file: 'b', change: 'update' },
    ],
    unchanged: ['c'],
    since: 1,
    until: 6,
  });
  expect(filesOf(merged)).toEqual(['a', 'b', 'c']);
});

test.each<[FileChange, FileChange, FileChange]>([
  ['create', 'update', 'create'],
  ['create', 'delete', 'delete'],
  ['delete', 'create', 'create'],
  ['update', 'delete', 'delete'],
])('%s, then %s, is %s', (first, second, change) => {
  const { changes } = mergeBatches(batch(1, [['a', first]]), batch(2, [['a', second]]));
  expect(changes).toEqual([{ file: 'a', change }]);
});

test('a forced change stays forced when the file changes again', () => {
  const forced = createBatch([{ file: 'a', change: 'update', isForced: true }]);
  const { changes } = mergeBatches(forced, batch(2, [['a', 'update']]));
  expect(changes).toEqual([{ file: 'a', change: 'update', isForced: true }]);
});
