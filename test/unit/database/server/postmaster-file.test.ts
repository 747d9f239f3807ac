import { describe, expect, it } from 'vitest';
import { parsePostmasterFile } from '../../../../src/database/server/postmaster-file.ts';

describe('parsePostmasterFile', () => {
  it('reads the process and the status', () => {
    const text =
      '4711\n/shop/.medusa/postgres/data\n1732186465\n40899\n\n127.0.0.1\n  1234567   2\nready   \n';
    expect(parsePostmasterFile(text)).toEqual({ pid: 4711, isReady: true });
  });

  it('is not ready while the server is starting, or before the line was written', () => {
    const start = '4711\n/data\n1732186465\n40899\n';
    expect(parsePostmasterFile(`${start}\n127.0.0.1\n1 2\nstarting\n`)?.isReady).toBe(false);
    expect(parsePostmasterFile(start)?.isReady).toBe(false);
    expect(parsePostmasterFile('4711\n')).toEqual({ pid: 4711, isReady: false });
  });

  it('takes a standalone backend for a holder of the data', () => {
    expect(parsePostmasterFile('-4711\n/data\n')?.pid).toBe(4711);
  });

  it('reads nothing from an empty or damaged file', () => {
    expect(parsePostmasterFile('')).toBeUndefined();
    expect(parsePostmasterFile('nonsense\n')).toBeUndefined();
    expect(parsePostmasterFile('0\n')).toBeUndefined();
  });
});
