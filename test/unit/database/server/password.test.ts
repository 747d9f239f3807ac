import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readOrCreatePassword } from '../../../../src/database/server/password.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medusa-vite-data-'));
  file = join(folder, 'password');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('readOrCreatePassword', () => {
  it('makes a random one that only its owner can read, and keeps it', async () => {
    const password = await readOrCreatePassword(file, true);
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(await readOrCreatePassword(file, false)).toBe(password);
    if (process.platform !== 'win32') {
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  it('never makes a new one for data that exists', async () => {
    await expect(readOrCreatePassword(file, false)).rejects.toMatchObject({
      code: 'DATABASE_NO_PASSWORD',
    });
  });
});
