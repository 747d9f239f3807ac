import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findClosedFolder } from '../../../../src/database/server/closed-folder.ts';

const STRANGER = { uid: 65_533, gid: 65_533 };

describe.skipIf(process.platform === 'win32')('findClosedFolder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'medusa-vite-user-'));
    mkdirSync(join(folder, 'inner'), { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('names the folder that another user may not pass', () => {
    chmodSync(folder, 0o700);
    expect(findClosedFolder([join(folder, 'inner')], STRANGER)).toBe(folder);
  });

  it('finds none when the others, or the owner, may pass', () => {
    chmodSync(folder, 0o711);
    expect(findClosedFolder([join(folder, 'inner')], STRANGER)).toBeUndefined();
    chmodSync(folder, 0o700);
    const { getuid, getgid } = process;
    expect(
      findClosedFolder([join(folder, 'inner')], { uid: getuid?.() ?? 0, gid: getgid?.() ?? 0 }),
    ).toBeUndefined();
  });

  it('names a program that the user may not execute', () => {
    chmodSync(folder, 0o755);
    const file = join(folder, 'inner', 'postgres');
    writeFileSync(file, '');
    chmodSync(file, 0o644);
    expect(findClosedFolder([file], STRANGER)).toBe(file);
  });
});
