import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CliRun } from './support/cli.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { type DevServer, startDevServer } from './support/dev-server.ts';
import { commandOf } from './support/launcher.ts';
import { freePort } from './support/ports.ts';
import { isPortTaken, isRunning } from './support/processes.ts';
import { createProject, type Project } from './support/project.ts';
import { REPOSITORY } from './support/repository.ts';
import { touch } from './support/touch.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const ENTRY = 'dev.ts';

let database: TestDatabase;
let project: Project;
let dev: DevServer;

beforeAll(async () => {
  database = await createDatabase();
  project = createProject({
    launcher: 'vite-node',
    files: {
      // Counts how often vite-node has run it.
      [ENTRY]: `
import { serve } from 'medusa-vite/vite-node';
import { options } from './dev-options.ts';
const runs = Number(process.env.SHOP_RUNS ?? 0) + 1;
process.env.SHOP_RUNS = String(runs);
serve({ json: true, ...options });
`,
      'dev-options.ts': 'export const options = { port: 0 };\n',
      // Keeps the app from ending as long as it is told to, but not for longer than a stop may take.
      'src/api/slow-end/route.ts': `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import.meta.hot?.dispose(async () => {
  writeFileSync('.medusa/ending', '');
  while (existsSync('.medusa/not-yet')) await delay(10);
});
export const GET = (_: unknown, res: { json(body: object): void }) => res.json({});
`,
    },
  });
  dev = await startDevServer(project, {
    databaseUrl: database.url,
    launcher: 'vite-node',
    env: { DISABLE_MEDUSA_ADMIN: 'true' },
  });
});

afterEach(async () => {
  const mark = dev.mark();
  for (const file of project.restore()) {
    await dev.updateSince(mark, file);
  }
  expect(dev.strayLines).toEqual([]);
});

afterAll(async () => {
  try {
    await dev?.stop();
  } finally {
    project.dispose();
    await database.drop();
  }
});

/** The code blocks of a guide that begin with a comment that names this file. */
function snippets(guide: string, file: string): string[] {
  const text = readFileSync(join(REPOSITORY, guide), 'utf8');
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
  return blocks.filter((code) => code.startsWith(`// ${file}\n`));
}

/** How often the entry had run when the present app was started. */
async function runs(): Promise<unknown> {
  const { body } = await dev.get('/env?key=SHOP_RUNS');
  return (body as { value: unknown }).value;
}

test('vite-node does not run the entry again for backend files, `.env` or `tsconfig.json`', async () => {
  expect(await runs()).toBe('1');
  const hot = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('pong', 'hot')),
  );
  expect(hot.result).toBe('reloaded');
  const files: [string, () => void][] = [
    ['medusa-config.ts', () => project.edit('medusa-config.ts', touch)],
    ['.env', () => project.write('.env', 'SHOP_SEEN=1\n')],
    ['tsconfig.json', () => project.edit('tsconfig.json', (source) => `${source}\n`)],
    ['vite.config.ts', () => project.edit('vite.config.ts', touch)],
  ];
  for (const [file, save] of files) {
    const { pid } = (await dev.get('/stats')).body as { pid: number };
    const update = await dev.nextUpdate(file, save);
    expect(update).toMatchObject({ result: 'restarted' });
    expect(isRunning(pid)).toBe(false);
  }
  expect(await runs()).toBe('1');
}, 180_000);

test('the entry changes: the old backend is closed, the new one is as the entry says', async () => {
  const before = dev.ready;
  const { pid } = (await dev.get('/stats')).body as { pid: number };
  const refused = await dev.nextUpdate('dev-options.ts', () =>
    project.edit('dev-options.ts', (source) => source.replace('port: 0', 'port: 70_000')),
  );
  expect(refused).toMatchObject({
    result: 'kept-previous',
    error: { message: '`70000` is not a port (`port`).' },
  });
  expect((await dev.get('/ping')).status).toBe(200);
  expect(isRunning(pid)).toBe(true);
  const port = await freePort();
  const update = await dev.nextUpdate('dev-options.ts', () =>
    project.edit('dev-options.ts', (source) => source.replace('port: 70_000', `port: ${port}`)),
  );
  expect(update).toMatchObject({ result: 'restarted', reason: 'dev-options.ts changed' });
  expect(dev.ready.port).toBe(port);
  expect((await dev.get('/ping')).body).toEqual({ ping: 'pong' });
  expect(isRunning(pid)).toBe(false);
  expect(await isPortTaken(before.port)).toBe(false);
  const hot = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('pong', 'on the new one')),
  );
  expect(hot.result).toBe('reloaded');
  await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('on the new one', 'pong')),
  );
});

test('what is saved while the backend is replaced is in the new one, and told once', async () => {
  const saves = {
    'together with the entry': async () => {},
    'while the old one ends': () =>
      until(
        () => existsSync(join(project.root, '.medusa/ending')),
        (isEnding) => isEnding,
      ),
  };
  mkdirSync(join(project.root, '.medusa'), { recursive: true });
  for (const [when, moment] of Object.entries(saves)) {
    const mark = dev.mark();
    const notYet = join(project.root, '.medusa/not-yet');
    rmSync(join(project.root, '.medusa/ending'), { force: true });
    writeFileSync(notYet, '');
    project.edit('dev-options.ts', touch);
    await moment();
    project.edit(PING, (source) => source.replace(/ping: '.*'/, `ping: '${when}'`));
    rmSync(notYet);
    await dev.updateSince(mark, 'dev-options.ts');
    await dev.updateSince(mark, PING);
    expect((await dev.get('/ping')).body).toEqual({ ping: when });
    expect(dev.updatesSince(mark, 'dev-options.ts')).toHaveLength(1);
    expect(dev.updatesSince(mark, PING)).toHaveLength(1);
  }
});

test('an entry with a typo leaves the backend as it is, until it is mended', async () => {
  const { pid } = (await dev.get('/stats')).body as { pid: number };
  const seen = dev.output().length;
  project.edit(ENTRY, (source) => `${source}\nconst = 1;\n`);
  await until(
    () => dev.output().slice(seen),
    (output) => output.includes(ENTRY),
  );
  expect((await dev.get('/ping')).status).toBe(200);
  expect(isRunning(pid)).toBe(true);
  const update = await dev.nextUpdate(ENTRY, () =>
    project.edit(ENTRY, (source) => source.replace('const = 1;', 'export const mended = 1;')),
  );
  expect(update).toMatchObject({ result: 'restarted', reason: `${ENTRY} changed` });
});

test('the example and the entries of the guide work, the one line and the call', async () => {
  const example = (file: string) =>
    readFileSync(join(REPOSITORY, 'examples/vite-node', file), 'utf8');
  const original = project.read(ENTRY);
  const [oneLine = '', call = ''] = snippets('docs/vite-node.md', ENTRY);
  expect(snippets('docs/vite-node.md', 'vite.config.ts')).toEqual([example('vite.config.ts')]);
  expect(oneLine).toBe(example(ENTRY));
  const mark = dev.mark();
  project.write(
    'vite.config.ts',
    example('vite.config.ts').replace('medusa()', 'medusa({ port: 0, json: true })'),
  );
  await dev.updateSince(mark, 'vite.config.ts');
  expect(call).toContain('serve({ port: 9001 })');
  const port = await freePort();
  const sources = [
    oneLine,
    // Run again, though what it imports is in every cache.
    `${oneLine}\n// saved again\n`,
    call.replace('9001', String(port)),
  ];
  for (const source of sources) {
    const { pid } = dev.ready;
    const update = await dev.nextUpdate(ENTRY, () => project.write(ENTRY, source));
    expect(update.result).toBe('restarted');
    expect(isRunning(pid)).toBe(false);
    expect((await dev.get('/ping')).status).toBe(200);
  }
  expect(dev.ready.port).toBe(port);
  // With the entry and without this config's `json`, nothing would tell of the update.
  await dev.nextUpdate(ENTRY, () => project.write(ENTRY, original));
}, 180_000);

test('without `--watch`, or without the plugin, one line says what to do', async () => {
  const [cli = ''] = commandOf('vite-node', { root: project.root, args: [] }).args;
  const env = { DATABASE_URL: database.url };
  const unwatched = await new CliRun([ENTRY], { cwd: project.root, cli, env }).ends();
  expect(unwatched.code).toBe(1);
  expect(unwatched.stderr).toContain('run `npx vite-node --watch dev.ts`');
  expect(unwatched.survivors).toEqual([]);
});

test('what cannot be started is said in one line, and nothing is left', async () => {
  const [cli = ''] = commandOf('vite-node', { root: project.root, args: [] }).args;
  const run = new CliRun(['--watch', ENTRY], {
    cwd: project.root,
    cli,
    env: { DATABASE_URL: 'postgres://localhost:1/none' },
  });
  const { code, stderr, survivors } = await run.ends();
  expect(code).toBe(1);
  expect(stderr).toContain('No database at');
  expect(stderr).not.toContain('    at ');
  expect(survivors).toEqual([]);
});
