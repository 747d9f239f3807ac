import { parseSync } from 'vite';
import type { KeptCode } from '../protocol/messages.ts';

/**
 * The code without its comments, for a comparison: Vite's transform keeps comments, and prints everything else
 * in one way. A comment that stands alone on its lines goes together with the lines.
 */
export function withoutComments(code: string): string {
  return textOf(code, findCode(code)).trimEnd();
}

/**
 * Where each piece of `before` is in `after`.
 * @param after The same code, except for comments
 */
export function alignCode(before: string, after: string): KeptCode[] {
  const kept: KeptCode[] = [];
  const [left, right] = [findCode(before), findCode(after)];
  let [a, b] = [left.shift(), right.shift()];
  while (a && b) {
    const length = Math.min(a.end - a.start, b.end - b.start);
    kept.push([a.start, b.start, length]);
    a = a.start + length < a.end ? { start: a.start + length, end: a.end } : left.shift();
    b = b.start + length < b.end ? { start: b.start + length, end: b.end } : right.shift();
  }
  return kept;
}

interface Range {
  start: number;
  end: number;
}

/** The ranges between the comments. */
function findCode(code: string): Range[] {
  // Vite has printed the code, so it parses; if it does not, the code is compared as it is.
  const { comments } = parseSync('module.js', code, { sourceType: 'module' });
  const ranges: Range[] = [];
  let start = 0;
  /** Whether the text from `start` on begins a line. */
  let isLineStart = true;
  for (const comment of comments) {
    const text = code.slice(start, comment.start);
    const indent = /[\t ]*$/.exec(text)?.[0].length ?? 0;
    const beforeIndent = text.slice(0, text.length - indent);
    const isAlone: boolean = beforeIndent === '' ? isLineStart : beforeIndent.endsWith('\n');
    const end = isAlone ? comment.start - indent : comment.start;
    if (end > start) {
      ranges.push({ start, end });
    }
    isLineStart = isAlone;
    start = comment.end;
    if (isAlone && code[start] === '\n') {
      start++;
    }
  }
  ranges.push({ start, end: code.length });
  return ranges.filter((range) => range.end > range.start);
}

function textOf(code: string, ranges: Range[]): string {
  return ranges.map(({ start, end }) => code.slice(start, end)).join('');
}
