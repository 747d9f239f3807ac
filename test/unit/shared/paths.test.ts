import { describe, expect, it } from 'vitest';
import {
  fileOfId,
  isAbsoluteFile,
  isInside,
  isRunnerFile,
  isTypeScript,
  relativeToRoot,
  toNative,
  toPosix,
} from '../../../src/shared/paths.ts';

describe.each(['/home/me/my shop', 'C:/Users/me/my shop'])('a project in %s', (root) => {
  it('has its own sources evaluated by the runner, and all others by Node', () => {
    const ours = [
      'medusa-config.ts',
      'src/a.tsx',
      'src/a.mts',
      'src/a.cts',
      'src/a.js',
      'src/a.mjs',
      'src/a.json',
    ];
    const natives = [
      'src/a.cjs',
      'src/a.node',
      'src/a.d.ts',
      'src/a.d.mts',
      'src/a.md',
      'node_modules/x/a.ts',
      'packages/x/node_modules/y/a.js',
    ];
    expect(ours.filter((file) => !isRunnerFile(root, `${root}/${file}`))).toEqual([]);
    expect(natives.filter((file) => isRunnerFile(root, `${root}/${file}`))).toEqual([]);
  });

  it('has TypeScript of a linked package evaluated by the runner, but not its built files', () => {
    const linked = root.replace('my shop', 'packages/brand');
    expect(isRunnerFile(root, `${linked}/src/index.ts`)).toBe(true);
    expect(isRunnerFile(root, `${linked}/dist/index.js`)).toBe(false);
    expect(isRunnerFile(root, `${linked}/dist/index.mjs`)).toBe(false);
    expect(isRunnerFile(root, `${linked}/data.json`)).toBe(false);
    expect(isRunnerFile(root, `${linked}/dist/index.d.ts`)).toBe(false);
    expect(isRunnerFile(root, `${linked}/node_modules/x/index.ts`)).toBe(false);
  });

  it('may itself be in a folder called node_modules', () => {
    expect(isRunnerFile(`${root}/node_modules/app`, `${root}/node_modules/app/src/a.ts`)).toBe(
      true,
    );
  });

  it('does not contain a folder whose name begins like its own', () => {
    expect(isInside(root, `${root}2/src/a.ts`)).toBe(false);
    expect(relativeToRoot(root, `${root}2/a.ts`)).toBe(`${root}2/a.ts`);
    expect(relativeToRoot(root, `${root}/src/a.ts`)).toBe('src/a.ts');
  });

  it('names its files absolutely', () => {
    expect(isAbsoluteFile(`${root}/a.ts`)).toBe(true);
    expect(fileOfId(`${root}/a.ts?raw`)).toBe(`${root}/a.ts`);
  });
});

it('converts paths between Node on Windows and Vite', () => {
  expect(toPosix('C:\\shop\\src\\a.ts')).toBe('C:/shop/src/a.ts');
  expect(toNative('C:/shop/src/a.ts', '\\')).toBe('C:\\shop\\src\\a.ts');
  expect(toNative('/shop/src/a.ts', '/')).toBe('/shop/src/a.ts');
});

it('tells absolute files from specifiers', () => {
  expect(
    ['./a', '../a', 'a', '@lib/a', 'node:fs', '\0virtual', 'C:a'].filter(isAbsoluteFile),
  ).toEqual([]);
});

it('knows TypeScript by its extension', () => {
  expect(['a.ts', 'a.tsx', 'a.mts', 'a.cts'].every(isTypeScript)).toBe(true);
  expect(['a.js', 'a.tss', 'ts', 'a.json'].some(isTypeScript)).toBe(false);
});
