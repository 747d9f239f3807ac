import { Module } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { ModuleResolution } from '../../../../src/app/runner/module-resolution.ts';

function createResolution(
  root: string,
  { has = [], host = {} }: { has?: string[]; host?: Record<string, string> } = {},
) {
  const asked: string[] = [];
  const resolution = new ModuleResolution({
    root,
    has: (id) => has.includes(id),
    moduleOf: () => Object.assign(new Module(''), { filename: `${root}/package.json` }),
    channel: {
      request: (request) => {
        const specifier = request.type === 'resolve' ? request.specifier : '';
        asked.push(specifier);
        return { type: 'resolved', id: host[specifier] ?? null };
      },
    },
  });
  return {
    asked,
    resolve: (specifier: string) => resolution.resolve(specifier, `${root}/src/main.ts`),
  };
}

describe.each(['/home/me/shop', 'C:/Users/me/shop'])('in %s', (root) => {
  it('takes the URLs that Vite writes without asking', () => {
    const { asked, resolve } = createResolution(root, { has: [`${root}/src/a.ts`] });
    expect(resolve('/src/a.ts')).toEqual({ id: `${root}/src/a.ts` });
    const outside = `${root.replace('/shop', '')}/packages/b/src/b.ts`;
    expect(resolve(`/@fs/${outside.replace(/^\//, '')}`)).toEqual({ id: outside });
    expect(resolve('/@id/__x00__virtual:x')).toEqual({ id: '\0virtual:x' });
    expect(asked).toEqual([]);
  });

  it('takes absolute paths and file URLs as they are', () => {
    const file = `${root}/src/a.ts`;
    const { asked, resolve } = createResolution(root, { has: [file] });
    expect(resolve(file)).toEqual({ id: file });
    if (root.startsWith('C:')) {
      expect(resolve(file.replaceAll('/', '\\'))).toEqual({ id: file });
    } else {
      expect(resolve(`file://${file}`)).toEqual({ id: file });
    }
    expect(asked).toEqual([]);
  });

  it('asks the host for computed paths and aliases', () => {
    const host = { './a': `${root}/src/a.ts`, '@lib/a': `${root}/src/lib/a.ts` };
    const { resolve } = createResolution(root, { host });
    expect(resolve('./a')).toEqual({ id: host['./a'] });
    expect(resolve('@lib/a')).toEqual({ id: host['@lib/a'] });
  });

  it('leaves to Node what is not the project’s own', () => {
    const built = `${root.replace('/shop', '')}/packages/b/dist/b.js`;
    const { asked, resolve } = createResolution(root, { host: { [built]: built } });
    expect(resolve('node:fs')).toEqual({ external: 'node:fs' });
    expect(resolve('fs')).toEqual({ external: 'fs' });
    expect(asked).toEqual([]);
    expect(resolve(`/@fs/${built.replace(/^\//, '')}`)).toEqual({ external: built });
    expect(resolve(built)).toEqual({ external: built });
    expect(resolve(`${root}/src/a.cjs`)).toEqual({ external: `${root}/src/a.cjs` });
  });

  it('leaves to Node what is missing, for its error', () => {
    const { resolve } = createResolution(root);
    expect(resolve('./missing')).toEqual({ external: './missing' });
    expect(resolve('no-such-package')).toEqual({ external: 'no-such-package' });
  });
});

// Caused by a workflow that was made and imported in one save: who imported it went on with its first version.
it('takes a file that the host has not heard of yet for the project’s own', () => {
  const { asked, resolve } = createResolution('/home/me/shop');
  const loader = Module as unknown as { _resolveFilename(): string };
  const find = vi.spyOn(loader, '_resolveFilename').mockReturnValue('/home/me/shop/src/new.ts');
  try {
    expect(resolve('./new')).toEqual({ id: '/home/me/shop/src/new.ts' });
    expect(asked).toEqual(['./new']);
  } finally {
    find.mockRestore();
  }
});

it('looks for a package once per folder', () => {
  const importer = fileURLToPath(import.meta.url);
  const resolution = new ModuleResolution({
    root: dirname(importer),
    has: () => false,
    moduleOf: (id) => new Module(id),
    channel: { request: () => ({ type: 'resolved', id: null }) },
  });
  const loader = Module as unknown as { _resolveFilename(): string };
  const resolve = vi.spyOn(loader, '_resolveFilename').mockReturnValue('/node_modules/a/index.js');
  try {
    for (const folder of ['one', 'one', 'two', 'two']) {
      expect(resolution.resolve('a', `/${folder}/main.ts`)).toEqual({ external: 'a' });
    }
    expect(resolve).toHaveBeenCalledTimes(2);
    resolve.mockReturnValue('/packages/b/index.js');
    resolution.resolve('b', '/one/main.ts');
    const before = resolve.mock.calls.length;
    resolution.resolve('b', '/one/main.ts');
    // It may have moved: Node is made to forget it, too.
    expect(resolve.mock.calls.length).toBeGreaterThan(before);
  } finally {
    resolve.mockRestore();
  }
});
