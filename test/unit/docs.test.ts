import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** The start of a path of this repository; the docs speak of paths in a user's project as well. */
const OURS =
  /`((?:src\/(?:cli|host|app|admin|medusa\/|vite|rules|project|protocol|database|shared)|plugins|test|bench|examples|docs)\b[\w./-]*)`/g;
const LINK = /\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g;

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  ...readdirSync(join(REPOSITORY, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

describe.each(documents)('%s', (document) => {
  const text = readFileSync(join(REPOSITORY, document), 'utf8');

  it('names files that are there', () => {
    const paths = [...text.matchAll(OURS)].map(([, path = '']) => path);
    expect(paths.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
  });

  it('links to files that are there', () => {
    const targets = [...text.matchAll(LINK)].map(([, target = '']) => target);
    const missing = (target: string) => !existsSync(join(REPOSITORY, dirname(document), target));
    expect(targets.filter(missing)).toEqual([]);
  });
});
