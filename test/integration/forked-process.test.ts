import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createDeferred } from '../../src/shared/deferred.ts';
import { ForkedProcess } from '../../src/shared/process/forked-process.ts';
import type { FromLinked, ToLinked } from './fixtures/linked-process.ts';

const FIXTURE = fileURLToPath(new URL('./fixtures/linked-process.ts', import.meta.url));

let directory: string;
let forked: ForkedProcess<ToLinked, FromLinked, { double: 'doubled' }>;
let hanging: ReturnType<typeof createDeferred<void>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'medusa-vite ü '));
  // The fixture is TypeScript, which not every supported Node runs.
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: FIXTURE,
      outDir: directory,
      rollupOptions: { output: { entryFileNames: 'linked.mjs' } },
    },
  });
});

afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(() => {
  hanging = createDeferred();
  forked = new ForkedProcess(
    {
      file: pathToFileURL(join(directory, 'linked.mjs')),
      cwd: directory,
      env: process.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
    { hanging: () => hanging.resolve() },
  );
});

afterEach(async () => {
  forked.kill();
  await forked.exited;
});

it('answers requests, and ends when its channel is closed', async () => {
  const replies = [1, 2].map((value) => forked.link.request({ type: 'double', value }));
  expect(await Promise.all(replies)).toMatchObject([{ value: 2 }, { value: 4 }]);
  const exit = await forked.stop(() => forked.disconnect(), 20_000);
  expect(exit).toEqual({ code: 0, signal: null, stderr: '' });
  expect(forked.isKilled).toBe(false);
});

it('leaves its last words, and requests without a reply', async () => {
  await forked.link.send({ type: 'leave' });
  const request = forked.link.request({ type: 'double', value: 1 });
  expect(await forked.exited).toEqual({ code: 3, signal: null, stderr: 'last words\n' });
  expect(await request).toBeUndefined();
});

it('is killed when it does not end in time', async () => {
  await forked.link.send({ type: 'hang' });
  await hanging.promise;
  expect(await forked.link.request({ type: 'double', value: 1 }, { limitMs: 50 })).toBeUndefined();
  const exit = await forked.stop(() => forked.disconnect(), 50);
  expect(exit).toMatchObject({ code: null, signal: 'SIGKILL' });
  expect(forked.isAlive).toBe(false);
});

it('that cannot be started says why', async () => {
  const missing = new ForkedProcess(
    {
      file: pathToFileURL(join(directory, 'linked.mjs')),
      cwd: join(directory, 'missing'),
      env: process.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
    {},
  );
  const { error } = await missing.exited;
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect(missing.isAlive).toBe(false);
});
