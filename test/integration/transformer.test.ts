import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ViteDevServer } from 'vite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createViteServer } from '../../src/cli/vite-server.ts';
import { createDeferred } from '../../src/shared/deferred.ts';
import { toPosix } from '../../src/shared/paths.ts';
import { Transformer } from '../../src/vite/transformer.ts';
import { VITE_ENVIRONMENT } from '../../src/vite/vite-environment.ts';

/** What the project's own plugin waits for. */
const hold: { transform?: (source: string) => Promise<void> } = {};
const PLUGIN = `export default {
  plugins: [{ name: 'slow', transform: (source) => globalThis.transformerTest.transform?.(source) }],
};`;
Object.assign(globalThis, { transformerTest: hold });

let root: string;
let file: string;
let vite: ViteDevServer;
let transformer: Transformer;

beforeEach(async () => {
  root = toPosix(realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite transformer '))));
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'package.json'), '{}');
  writeFileSync(join(root, 'vite.config.mjs'), PLUGIN);
  file = `${root}/src/word.ts`;
  save('one');
  vite = await createViteServer({ root, pollMs: undefined });
  // Vite also forgets a module by itself, some time after it was saved.
  await vite.watcher.close();
  transformer = new Transformer(vite, root);
  expect(await code()).toContain('one');
});

afterEach(async () => {
  delete hold.transform;
  await vite.close();
  rmSync(root, { recursive: true });
});

function save(word: string): void {
  writeFileSync(file, `export const word: string = '${word}';\n`);
}

async function code(): Promise<string | undefined> {
  return (await transformer.transform(file)).code;
}

/** As a pass does. */
async function change(): Promise<string | undefined> {
  await transformer.onChange([{ file, change: 'update' }], () => true);
  return code();
}

/** The very object that Vite holds: another transform makes another one. */
function transformed(): object | null | undefined {
  const environment = vite.environments[VITE_ENVIRONMENT];
  return environment?.moduleGraph.getModuleById(file)?.transformResult;
}

test('a file that was anticipated, and is the same since, is transformed once', async () => {
  save('two');
  transformer.anticipate(file);
  expect(await code()).toContain('two');
  const before = transformed();
  expect(before).toBeTruthy();
  expect(await change()).toContain('two');
  expect(transformed()).toBe(before);
});

test('one that was written again meanwhile is read again', async () => {
  save('two');
  transformer.anticipate(file);
  save('three');
  expect(await change()).toContain('three');
  save('four');
  transformer.anticipate(file);
  await transformer.transform(file);
  save('five');
  expect(await change()).toContain('five');
});

test('one that is caught half-way is left to the pass', async () => {
  writeFileSync(file, '');
  transformer.anticipate(file);
  save('two');
  expect(await change()).toContain('two');
  writeFileSync(file, 'export const word = ((');
  transformer.anticipate(file);
  await expect(change()).rejects.toThrow();
  save('three');
  expect(await change()).toContain('three');
});

test('what was anticipated counts for the next pass only', async () => {
  save('two');
  transformer.anticipate(file);
  expect(await change()).toContain('two');
  save('three');
  expect(await change()).toContain('three');
  // The same content as was anticipated once, but not what Vite has.
  save('two');
  expect(await change()).toContain('two');
});

test('files that nobody has loaded, or that are gone, are none of its business', async () => {
  transformer.anticipate(`${root}/src/unknown.ts`);
  rmSync(file);
  transformer.anticipate(file);
  await transformer.onChange([{ file, change: 'delete' }], () => true);
  await expect(code()).rejects.toThrow();
});

test('what the app has not loaded finds an imported file where it has moved to', async () => {
  const importer = `${root}/src/importer.ts`;
  writeFileSync(importer, "export { word } from './word';\n");
  expect((await transformer.transform(importer)).code).toContain('/src/word.ts');
  const moved = `${root}/src/word/index.ts`;
  mkdirSync(join(root, 'src/word'));
  renameSync(file, moved);
  await transformer.onChange(
    [
      { file, change: 'delete' },
      { file: moved, change: 'create' },
    ],
    () => false,
  );
  expect((await transformer.transform(importer)).code).toContain('/src/word/index.ts');
});

test('a transform that began before the file was saved again is not the one that is given', async () => {
  const reached = createDeferred<void>();
  const held = createDeferred<void>();
  hold.transform = async (source) => {
    if (source.includes('first')) {
      reached.resolve();
      await held.promise;
    }
  };
  save('first');
  const first = change();
  await reached.promise;
  save('second');
  const second = change();
  await new Promise((resolve) => setImmediate(resolve));
  held.resolve();
  expect(await second).toContain('second');
  await first;
});
