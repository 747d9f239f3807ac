import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { completeLocation } from '../../../../src/host/terminal/error-location.ts';
import { toPosix } from '../../../../src/shared/paths.ts';

let root: string;

beforeEach(() => {
  root = toPosix(realpathSync(mkdtempSync(join(tmpdir(), 'é shop (1) '))));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, source: string): string {
  const path = `${root}/${file}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
  return path;
}

const ROUTE = "import { b } from './b';\n\nexport const x = b.nope.nope;\n";

test('takes the first line of the stack that lies in the project', () => {
  const file = write('src/api/[id]/route.ts', ROUTE);
  const error = completeLocation(
    {
      name: 'TypeError',
      message: 'b.nope is undefined',
      stack: [
        'TypeError: b.nope is undefined',
        '    at node:internal/modules/cjs/loader:1:2',
        '    at Object.get [as nope] (/elsewhere/lib/index.js:10:4)',
        `    at find (${root}/node_modules/lib/index.js:9:1)`,
        `    at ${file}:3:20`,
        `    at load (${root}/src/other.ts:1:1)`,
      ].join('\n'),
    },
    root,
  );
  expect(error).toMatchObject({ name: 'TypeError', file, line: 3, column: 20 });
  expect(error.frame).toBe(
    [
      "  1 | import { b } from './b';",
      '  2 |',
      '> 3 | export const x = b.nope.nope;',
      '    |                    ^',
      '  4 |',
    ].join('\n'),
  );
});

test.each([
  ['a named function', (file: string) => `    at new Thing (${file}:3:1)`],
  ['an async function', (file: string) => `    at async load (${file}:3:1)`],
  ['an async module', (file: string) => `    at async ${file}:3:1`],
  ['a URL', (file: string) => `    at load (${pathToFileURL(file).href}:3:1)`],
  ['a query', (file: string) => `    at load (${file}?v=1:3:1)`],
])('reads a stack line of %s', (_, line) => {
  const file = write('src/a.ts', ROUTE);
  const error = { name: 'Error', message: 'no', stack: `Error: no\n${line(file)}` };
  expect(completeLocation(error, root)).toMatchObject({ file, line: 3, column: 1 });
});

test('keeps the details that the error has', () => {
  const file = write('src/a.ts', ROUTE);
  const error = {
    name: 'Error',
    message: 'no',
    file,
    line: 1,
    column: 2,
    frame: '\n\u001B[31mmine\u001B[39m\n',
  };
  expect(completeLocation(error, root)).toEqual({ ...error, frame: 'mine' });
});

test('makes a frame for an error that has only a place', () => {
  const file = write('src/a.ts', ROUTE);
  const { frame } = completeLocation(
    { name: 'Error', message: 'no', file, line: 1, column: 8 },
    root,
  );
  expect(frame).toContain("> 1 | import { b } from './b';\n    |        ^");
});

// Vite 8 throws this for a syntax error: everything is in the message.
test('takes position and frame out of a drawing in the message', () => {
  const file = write('src/a.ts', 'export const x = {\n  b: ,\n};\n');
  const error = completeLocation(
    {
      name: 'Error',
      message:
        'Transform failed with 1 error:\n\n\u001B[31m[PARSE_ERROR] \u001B[0mUnexpected token\n' +
        '   \u001B[38;5;246m╭\u001B[0m─[ src/a.ts:2:6 ]\n   │\n 2 │   b: ,\n   │      ┬\n   │      ╰──\n───╯\n',
      plugin: 'vite:oxc',
      file,
    },
    root,
  );
  expect(error).toMatchObject({
    message: '[PARSE_ERROR] Unexpected token',
    file,
    line: 2,
    column: 6,
    frame: '   ╭─[ src/a.ts:2:6 ]\n   │\n 2 │   b: ,\n   │      ┬\n   │      ╰──\n───╯',
  });
});

// Vite 8 throws this for a broken JSON file.
test('takes the position from the message of a JSON error', () => {
  const file = write('src/a.json', '{ a: }\n');
  const error = { name: 'Error', message: 'key must be a string at line 1 column 3', file };
  expect(completeLocation(error, root)).toMatchObject({
    line: 1,
    column: 3,
    frame: '> 1 | { a: }\n    |   ^\n  2 |',
  });
});

test.each([
  [
    'Vite',
    (file: string) =>
      `Failed to load url ./gone (resolved id: ./gone) in ${file}. Does the file exist?`,
  ],
  ['vite-node', (file: string) => `Cannot find module '${root}/src/gone' imported from '${file}'`],
  ['an import of Node', (file: string) => `Cannot find package 'gone' imported from ${file}`],
  [
    'a require of Node',
    (file: string) => `Cannot find module './gone'\nRequire stack:\n- ${file}\n- /x`,
  ],
])('finds the line of a missing import, as %s words it', (_, message) => {
  const file = write('src/a.ts', "import './other';\nimport { gone } from './gone';\n");
  expect(completeLocation({ name: 'Error', message: message(file) }, root)).toMatchObject({
    file,
    line: 2,
    column: 22,
  });
});

test('prefers the specifier of a missing import to its statement, and shortens the message', () => {
  const file = write('src/a.ts', "import { gone } from './gone';\n");
  const message = `Cannot find module '${root}/src/gone'\nRequire stack:\n- ${file}\n- /x`;
  const stack = `Error: ${message}\n    at ${file}:1:1`;
  expect(completeLocation({ name: 'Error', message, stack }, root)).toMatchObject({
    message: "Cannot find module 'src/gone'",
    file,
    line: 1,
    column: 22,
  });
});

test('reads the head of a syntax error in a file that Node loaded', () => {
  const file = write('src/a.cjs', 'ok\nnot ok\n');
  const stack = `${file}:2\nnot ok\n    ^^\n\nSyntaxError: Unexpected identifier\n    at wrapSafe (node:internal/modules/cjs/loader:1:1)`;
  const error = { name: 'SyntaxError', message: 'Unexpected identifier', stack };
  expect(completeLocation(error, root)).toMatchObject({
    file,
    line: 2,
    frame: '  1 | ok\n> 2 | not ok\n  3 |',
  });
});

test('looks into the cause when the error itself names nothing of the project', () => {
  const file = write('src/a.ts', ROUTE);
  const cause = { name: 'Error', message: 'inner', stack: `Error: inner\n    at ${file}:1:1` };
  const error = {
    name: 'Error',
    message: 'outer',
    stack: 'Error: outer\n    at /x/y.js:1:1',
    cause,
  };
  expect(completeLocation(error, root)).toMatchObject({ message: 'outer', file, line: 1 });
});

test('invents no location', () => {
  const error = { name: 'Error', message: 'no', stack: 'Error: no\n    at /x/y.js:1:1' };
  expect(completeLocation(error, root)).toEqual(error);
});

test('shows no frame when the file is gone', () => {
  const error = { name: 'Error', message: 'no', file: `${root}/gone.ts`, line: 1, column: 1 };
  expect(completeLocation(error, root)).toEqual(error);
});
