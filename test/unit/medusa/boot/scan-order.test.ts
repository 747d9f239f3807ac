import { expect, test } from 'vitest';
import { compareScanOrder } from '../../../../src/medusa/boot/scan-order.ts';

test('files come in the order of a scan of their folder', () => {
  const scanned = [
    '/shop/src/jobs/B.ts',
    '/shop/src/jobs/a.ts',
    '/shop/src/jobs/b/a.ts',
    '/shop/src/jobs/b/c/a.ts',
    '/shop/src/jobs/b/d.ts',
    '/shop/src/jobs/b.ts',
    '/shop/src/jobs/z.ts',
  ];
  expect(scanned.toReversed().sort(compareScanOrder)).toEqual(scanned);
  expect(compareScanOrder('/shop/src/jobs/a.ts', '/shop/src/jobs/a.ts')).toBe(0);
});
