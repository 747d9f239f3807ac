import { expect, test } from 'vitest';
import { createCodeFrame } from '../../../../src/host/terminal/code-frame.ts';

const source = [
  'one',
  'two',
  '\tthree + 3',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
].join('\n');

test('marks the position among two lines on each side', () => {
  expect(createCodeFrame(source, { line: 9, column: 2 })).toBe(
    ['   7 | seven', '   8 | eight', '>  9 | nine', '     |  ^', '  10 | ten'].join('\n'),
  );
});

test('puts the marker under its letter on a line that begins with tabs', () => {
  expect(createCodeFrame(source, { line: 3, column: 8 })?.split('\n').slice(2, 4)).toEqual([
    '> 3 | \tthree + 3',
    '    | \t      ^',
  ]);
});

test('marks only the line when there is no column', () => {
  expect(createCodeFrame('one\ntwo', { line: 1 })).toBe('> 1 | one\n  2 | two');
});

test('cuts lines that are too long to read', () => {
  const frame = createCodeFrame('x'.repeat(100_000), { line: 1, column: 90_000 });
  expect(frame).toBe(`> 1 | ${'x'.repeat(160)}`);
});

test('shows nothing for a line that does not exist', () => {
  expect(createCodeFrame('one', { line: 4, column: 1 })).toBeUndefined();
});
