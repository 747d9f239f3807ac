import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBlockingFolder, parsePasswd } from '../../../../src/database/server/server-user.ts';

const STRANGER = 65_533;

describe('parsePasswd', () => {
  it('reads names and numbers, and skips what is no entry', () => {
    const text =
      'root:x:0:0:root:/root:/bin/bash\n# comment\nnobody:x:65534:65534::/:/bin/false\n+::::\n\n';
    expect(parsePasswd(text)).toEqual([
      { name: 'root', uid: 0, gid: 0 },
      { name: 'nobody', uid: 65_534, gid: 65_534 },
    ]);
  });
});

describe.skipIf(process.platform === 'win32')('findBlockingFolder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'medusa-vite-user-'));
    mkdirSync(join(folder, 'inner'), { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('names the folder that another user may not pass', () => {
    chmodSync(folder, 0o700);
    expect(findBlockingFolder([join(folder, 'inner')], STRANGER, STRANGER)).toBe(folder);
  });

  it('finds none when the others, or the owner, may pass', () => {
    chmodSync(folder, 0o711);
    expect(findBlockingFolder([join(folder, 'inner')], STRANGER, STRANGER)).toBeUndefined();
    chmodSync(folder, 0o700);
    const { getuid, getgid } = process;
    expect(
      findBlockingFolder([join(folder, 'inner')], getuid?.() ?? 0, getgid?.() ?? 0),
    ).toBeUndefined();
  });

  it('names a program that the user may not execute', () => {
    chmodSync(folder, 0o755);
    const file = join(folder, 'inner', 'postgres');
    writeFileSync(file, '');
    chmodSync(file, 0o644);
    expect(findBlockingFolder([file], STRANGER, STRANGER)).toBe(file);
  });
});
