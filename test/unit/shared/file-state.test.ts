import { mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileRecord } from '../../../src/shared/file-record.ts';
import {
  changedAt,
  contentOf,
  EMPTY_CONTENT,
  readFileState,
  stampOf,
} from '../../../src/shared/file-state.ts';

let root: string;
let file: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medusa-vite ü '));
  file = join(root, 'a.ts');
  writeFileSync(file, 'one');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

it('has the same content for the same text, whenever it was written', () => {
  const before = readFileState(file);
  utimesSync(file, 1, 1);
  expect(readFileState(file)).toEqual({ content: before.content, writtenAt: 1_000 });
  writeFileSync(file, 'two');
  expect(contentOf(file)).not.toBe(before.content);
});

it('tells an empty file from one that is not there', () => {
  writeFileSync(file, '');
  expect(contentOf(file)).toBe(EMPTY_CONTENT);
  rmSync(file);
  expect(readFileState(file)).toEqual({ content: null, writtenAt: 0 });
  expect(changedAt(file)).toBeNull();
  expect(stampOf(file)).toBeNull();
});

it('has no content for a folder, but a stamp', async () => {
  expect(contentOf(root)).toBeNull();
  await expectOther(root, (turn) => writeFileSync(join(root, `${turn}.ts`), ''));
});

it('does not read a big file, and sees that it was written', () => {
  truncateSync(file, 5 * 1024 * 1024);
  utimesSync(file, 1, 1);
  const before = contentOf(file);
  expect(contentOf(file)).toBe(before);
  utimesSync(file, 2, 2);
  expect(contentOf(file)).not.toBe(before);
});

it.each([
  ['written anew', () => writeFileSync(file, 'two')],
  ['set back in time', () => utimesSync(file, 1, 1)],
])('has another stamp when it is %s', async (_, change) => {
  await expectOther(file, change);
});

/** Repeats the change, because the clock of a file system may stand still for some milliseconds. */
async function expectOther(path: string, change: (turn: number) => void): Promise<void> {
  const before = stampOf(path);
  let turn = 0;
  const stamp = () => {
    change(turn++);
    return stampOf(path);
  };
  await expect.poll(stamp, { interval: 2 }).not.toBe(before);
}

describe('FileRecord', () => {
  it('finds a file that has changed since it was first noted', () => {
    const record = new FileRecord(contentOf);
    const other = join(root, 'b.ts');
    record.note(file);
    record.note(other);
    expect(record.findChanged()).toBeUndefined();
    writeFileSync(other, 'new');
    record.note(other);
    expect(record.has(other)).toBe(true);
    expect(record.findChanged()).toBe(other);
    rmSync(other);
    expect(record.findChanged()).toBeUndefined();
  });
});
