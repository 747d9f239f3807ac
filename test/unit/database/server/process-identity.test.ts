import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identifyPostmaster } from '../../../../src/database/server/process-identity.ts';

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
