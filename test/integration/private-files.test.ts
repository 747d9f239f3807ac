import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { UserConfig, ViteDevServer } from 'vite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { medusa } from '../../plugins/medusa.ts';
import { toPosix } from '../../src/shared/paths.ts';

const FILES = {
  'medusa-config.ts': '',
  'package.json': '{"type":"module","devDependencies":{"vite":"*"}}',
  '.env': 'SECRET=1',
  'own.key': 'SECRET',
  'own.secret': 'SECRET',
  'words.txt': 'hello',
  '.medusa/postgres/password': 'SECRET',
};

let root: string;
let vite: ViteDevServer | undefined;

beforeEach(() => {
  root = toPosix(realpathSync.native(mkdtempSync(join(tmpdir(), 'medusa-vite ü '))));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});

afterEach(async () => {
  await vite?.close();
  vite = undefined;
  rmSync(root, { recursive: true, force: true });
});

describe.each(['medusa-vite', '@medusajs/admin-bundler'])('with the Vite of %s', (owner) => {
  it('answers neither for what is in `.medusa`, nor for what Vite itself keeps back', async () => {
    const { defaults, status } = await serve(owner);

    expect(await status('/words.txt')).toBe(200);
    expect(await status('/.medusa/postgres/password')).toBe(403);
    expect(await status('/.MEDUSA/postgres/password')).not.toBe(200);
    expect(await status('/%2Emedusa/postgres/password')).toBe(403);
    expect(await status(`/@fs${root}/.medusa/postgres/password`)).toBe(403);
    expect(await status('/.medusa/postgres/password?raw')).toBe(403);
    expect(await status('/.env')).toBe(403);
    expect(defaults.length).toBeGreaterThan(0);
    expect(vite?.config.server.fs.deny).toEqual(expect.arrayContaining(defaults));
  });

  it('keeps to the list of the user, who may have one', async () => {
    const { status } = await serve(owner, { server: { fs: { deny: ['*.secret'] } } });

    expect(await status('/own.secret')).toBe(403);
    expect(await status('/own.key')).toBe(200);
    expect(await status('/.medusa/postgres/password')).toBe(403);
  });
});

/** A front end at the project's root. */
async function serve(owner: string, config: UserConfig = {}) {
  const folder = viteOf(owner);
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(folder, join(root, 'node_modules/vite'), 'junction');
  const file = createRequire(join(folder, 'package.json')).resolve('vite');
  const { createServer, resolveConfig } = (await import(
    pathToFileURL(file).href
  )) as typeof import('vite');
  const { server } = await resolveConfig({ root, configFile: false }, 'serve');
  vite = await createServer({
    ...config,
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [medusa({ serve: false })],
    server: { ...config.server, port: 0, host: '127.0.0.1' },
  });
  await vite.listen();
  const origin = vite.resolvedUrls?.local[0] ?? 'no URL';
  return {
    defaults: server.fs.deny,
    status: async (path: string) => {
      const response = await fetch(new URL(path, origin));
      await response.text();
      return response.status;
    },
  };
}

function viteOf(owner: string): string {
  const require = createRequire(import.meta.url);
  const fromOwner =
    owner === 'medusa-vite' ? require : createRequire(require.resolve(`${owner}/package.json`));
  return dirname(fromOwner.resolve('vite/package.json'));
}
