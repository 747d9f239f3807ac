import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  identifyPostmaster,
  parsePostmasterFile,
} from '../../../../src/database/server/postmaster-file.ts';

describe('parsePostmasterFile', () => {
  it('reads the process, the port and the status', () => {
    const text =
      '4711\n/shop/.medusa/postgres/data\n1732186465\n40899\n\n127.0.0.1\n  1234567   2\nready   \n';
    expect(parsePostmasterFile(text)).toEqual({ pid: 4711, port: 40899, isReady: true });
  });

  it('is not ready while the server is starting, or before the line was written', () => {
    const start = '4711\n/data\n1732186465\n40899\n';
    expect(parsePostmasterFile(`${start}\n127.0.0.1\n1 2\nstarting\n`)?.isReady).toBe(false);
    expect(parsePostmasterFile(start)?.isReady).toBe(false);
    expect(parsePostmasterFile('4711\n')).toEqual({ pid: 4711, port: undefined, isReady: false });
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

describe.skipIf(process.platform === 'win32')('identifyPostmaster', () => {
  it('never takes a living process that is not PostgreSQL for ours, even inside the data', async () => {
    const data = mkdtempSync(join(tmpdir(), 'medusa-vite-data-'));
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { cwd: data });
    try {
      await once(child, 'spawn');
      expect(identifyPostmaster(child.pid ?? 0, data)).toBe('other');
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(data, { recursive: true });
    }
    expect(identifyPostmaster(child.pid ?? 0, data)).toBe('gone');
  });
});
