import { transformWithOxc } from 'vite';
import { expect, test } from 'vitest';
import { alignCode, withoutComments } from '../../../src/vite/comments.ts';

const SOURCE = `import a from 'a';

export function x(): string {
  const text = '// not a comment';
  return text + a + /[/*]/.source + \`/* nor this */\`;
}

x();
`;

const print = async (source: string) =>
  withoutComments((await transformWithOxc(source, 'a.ts')).code);

test.each([
  ['at the top', `// words\n${SOURCE}`],
  ['at the end', `${SOURCE}// words\n`],
  ['at the end, without a line of its own', `${SOURCE.trimEnd()} // words`],
  ['above a function', SOURCE.replace('export', '/**\n * Words: é, “quoted”, 🙂.\n */\nexport')],
  [
    'on lines inside a function',
    SOURCE.replace('  return', '  // words\n  // more words\n  return'),
  ],
  ['behind a statement', SOURCE.replace("comment';", "comment'; // words")],
  ['before a closing brace', SOURCE.replace('\n}', '\n  // words\n}')],
])('a comment %s makes no difference', async (_, commented) => {
  expect(await print(commented)).toBe(await print(SOURCE));
});

test.each([
  [
    'above and inside',
    `// words\n${SOURCE.replace('  return', '  // words\n  // more words\n  return')}`,
  ],
  ['behind a statement', SOURCE.replace("comment';", "comment'; // words")],
  ['before a closing brace', SOURCE.replace('\n}', '\n  // words\n}')],
])('code is found again when comments %s come or go', async (_, commented) => {
  const { code: plain } = await transformWithOxc(SOURCE, 'a.ts');
  const { code: moved } = await transformWithOxc(commented, 'a.ts');
  for (const [before, after] of [
    [plain, moved],
    [moved, plain],
  ] as const) {
    const kept = alignCode(before, after);
    for (const [from, to, length] of kept) {
      expect(before.slice(from, from + length)).toBe(after.slice(to, to + length));
    }
    for (const token of ['import', 'text =', 'return', '.source', 'x();']) {
      const at = before.indexOf(token);
      const piece = kept.find(([from, , length]) => at >= from && at < from + length);
      expect(piece && piece[1] + at - piece[0]).toBe(after.indexOf(token));
    }
  }
});

test('text that only looks like a comment makes a difference', async () => {
  for (const changed of [
    SOURCE.replace('// not a comment', '// still no comment'),
    SOURCE.replace('/* nor this */', '/* nor that */'),
    SOURCE.replace('[/*]', '[/*+]'),
  ]) {
    expect(await print(changed)).not.toBe(await print(SOURCE));
  }
});
