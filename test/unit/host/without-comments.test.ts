import { transformWithOxc } from 'vite';
import { expect, test } from 'vitest';
import { withoutComments } from '../../../src/host/without-comments.ts';

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

test('what only looks like a comment does', async () => {
  for (const changed of [
    SOURCE.replace('// not a comment', '// still no comment'),
    SOURCE.replace('/* nor this */', '/* nor that */'),
    SOURCE.replace('[/*]', '[/*+]'),
  ]) {
    expect(await print(changed)).not.toBe(await print(SOURCE));
  }
});
