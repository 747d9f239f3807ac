import { parseSync } from 'vite';

/**
 * The code with its comments cut out, for a comparison: Vite's transform keeps them, and prints everything
 * else in one way. A comment that has its lines to itself goes with these.
 */
export function withoutComments(code: string): string {
  // Vite has printed it, so it parses; where it does not, the comparison is of the code as it is.
  const { comments } = parseSync('module.js', code, { sourceType: 'module' });
  let result = '';
  let end = 0;
  for (const comment of comments) {
    result = (result + code.slice(end, comment.start)).replace(/(^|\n)[\t ]+$/, '$1');
    end = comment.end;
    if (code[end] === '\n' && (result === '' || result.endsWith('\n'))) {
      end++;
    }
  }
  return (result + code.slice(end)).trimEnd();
}
