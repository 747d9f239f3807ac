import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest';
import { cleanEnv } from './support/clean-env.ts';
import { CliRun } from './support/cli.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { REPOSITORY, SHOP } from './support/repository.ts';
import { touch } from './support/touch.ts';

/** 35 s with a warm cache. */
const INSTALL_WAIT_MS = 600_000;
const NOT_COPIED = new Set(['node_modules', '.medusa', '.env', 'dist']);

const PING = 'src/api/ping/route.ts';
const CONFIG = 'medusa-config.ts';
const VITE_CONFIG = `
import { builtInRules, medusa, type Rule } from 'medusa-vite';
import { defineReloader, type ReloaderFile } from 'medusa-vite/reloader';
import { planChange } from 'medusa-vite/testing';
import { serve } from 'medusa-vite/vite-node';
const rules: Rule[] = [{ name: 'graphql', match: 'src/graphql/**', action: 'restart' }];
export const files: ReloaderFile[] = [];
export const reloader = defineReloader({ prepare: () => ({ commit() {} }) });
export const { result } = planChange({ rules, builtInRules, change: 'src/graphql/schema.graphql' });
export const start = () => serve({ port: 9001 });
export default { plugins: [medusa({ rules })] };
`;

const run = promisify(execFile);

let base: string;
let root: string;
let database: TestDatabase;
let dev: CliRun;

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite ü ')));
  root = join(base, 'my shøp');
  mkdirSync(root);
  chmodSync(base, 0o755);
  const tarball = join(base, await pack());
  cpSync(SHOP, root, {
    recursive: true,
    filter: (source) => source === SHOP || !NOT_COPIED.has(basename(source)),
  });
  // As it was before medusa-vite was added to it.
  edit('package.json', (source) => source.replace(/^\s*"medusa-vite": .*\n/m, ''));
  await npm(root, ['install', '--prefer-offline', '--save-dev', tarball]);
  database = await createDatabase();
  dev = new CliRun(['dev', '--json', '-p', '0'], {
    cwd: root,
    env: { DATABASE_URL: database.url },
    cli: join(root, 'node_modules/.bin/medusa-vite'),
  });
  await dev.event('ready');
}, INSTALL_WAIT_MS);

beforeEach(() => {
  onTestFailed(() => console.error(dev.output));
});

afterAll(async () => {
  await dev?.stop();
  await database?.drop();
  rmSync(base, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

test('the package is installed as a copy, with the project’s own Medusa', () => {
  expect(lstatSync(join(root, 'node_modules/medusa-vite')).isSymbolicLink()).toBe(false);
  expect(lstatSync(join(root, 'node_modules/@medusajs/medusa')).isSymbolicLink()).toBe(false);
  const { devDependencies } = JSON.parse(read('package.json')) as {
    devDependencies: Record<string, string>;
  };
  expect(devDependencies['medusa-vite']).toMatch(/^file:.*\.tgz$/);
});

test('a saved route is live in the running app', async () => {
  expect((await dev.event('ready')).hmr).toBe(true);
  expect(await get('/ping')).toEqual({ ping: 'pong' });
  const update = await dev.update(PING, () =>
    edit(PING, (source) => source.replace("'pong'", "'installed'")),
  );
  expect(update).toMatchObject({
    result: 'reloaded',
    files: [PING],
    resources: ['route GET /ping'],
  });
  expect(await get('/ping')).toEqual({ ping: 'installed' });
});

test('a saved config restarts the app', async () => {
  const update = await dev.update(CONFIG, () => edit(CONFIG, touch));
  expect(update).toMatchObject({ result: 'restarted', files: [CONFIG] });
  expect(await get('/ping')).toEqual({ ping: 'installed' });
});

// `.ts` is CommonJS in a Medusa project, and the package is an ES module.
test.each(['mts', 'ts'])('the types of the package are found in .%s', async (extension) => {
  const file = join(root, `plugin-check.${extension}`);
  writeFileSync(file, VITE_CONFIG);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'Node16'];
  await run(process.execPath, [tsc, ...options, file], { cwd: root }).catch(
    ({ stdout }: { stdout: string }) => expect.fail(stdout),
  );
});

test('`module.hot` has its types, and code with it runs where the package is not', async () => {
  const file = join(root, 'hot-check.ts');
  writeFileSync(
    file,
    `
export const timer = setInterval(() => {}, 1_000).unref();
module.hot?.dispose(() => clearInterval(timer));
export const client = (module.hot?.data.client as string | undefined) ?? 'made here';
if (module.hot) {
  module.hot.data.client = client;
}
`,
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const outDir = join(base, 'built');
  const options = ['--strict', '--skipLibCheck', '--module', 'Node16', '--outDir', outDir];
  await run(process.execPath, [tsc, ...options, '--types', 'node,medusa-vite/hot', file], {
    cwd: root,
  }).catch(({ stdout }: { stdout: string }) => expect.fail(stdout));
  const { stdout } = await run(process.execPath, [
    '-p',
    `require(${JSON.stringify(join(outDir, 'hot-check.js'))}).client`,
  ]);
  expect(stdout.trim()).toBe('made here');
});

/** Without its scripts: the build would take the files away from what runs beside this test. */
async function pack(): Promise<string> {
  const { stdout } = await npm(REPOSITORY, [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    base,
  ]);
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  return packed.filename;
}

function npm(cwd: string, args: string[]): Promise<{ stdout: string }> {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier'];
  return run('npm', [...args, ...quiet], { cwd, env: cleanEnv(), timeout: INSTALL_WAIT_MS });
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function edit(file: string, change: (source: string) => string): void {
  const before = read(file);
  const after = change(before);
  if (after === before) {
    throw new Error(`The edit did not change \`${file}\`:\n${before}`);
  }
  writeFileSync(join(root, file), after);
}

async function get(path: string): Promise<unknown> {
  const { port } = await dev.event('ready');
  return (await fetch(`http://localhost:${port}${path}`)).json();
}
