import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { allEnd } from './support/all-end.ts';
import { cleanEnv } from './support/clean-env.ts';
import { CliRun } from './support/cli.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { type DevServer, startDevServer } from './support/dev-server.ts';
import { HmrClient } from './support/hmr-client.ts';
import { freePort } from './support/ports.ts';
import { isPortTaken, isRunning, processTree } from './support/processes.ts';
import { createProject, type Project } from './support/project.ts';
import { until } from './support/until.ts';

const require = createRequire(import.meta.url);
/** Less than what chokidar takes for one event. */
const BETWEEN_WRITES_MS = 25;
const PING = 'src/api/ping/route.ts';
const CONFIG = 'vite.config.ts';

/** Unwatched. */
const LOADING = '.medusa/loading';
const SLOW_TO_LOAD = `
  config: async () => {
    const { mkdirSync, writeFileSync } = await import('node:fs');
    mkdirSync('.medusa', { recursive: true });
    writeFileSync('${LOADING}', '');
    await new Promise((resolve) => setTimeout(resolve, 700));
  },
`;

let database: TestDatabase;
let project: Project;
let vitePort: number;
let dev: DevServer;
let page: HmrClient | undefined;

beforeAll(async () => {
  database = await createDatabase();
  vitePort = await freePort();
  project = createProject({
    launcher: 'vite',
    files: {
      [CONFIG]: config(),
      '.env': 'VITE_COLOR=red\nSHOP_ONE=1\n',
      'web/main.ts': `
import { shared } from './shared.ts';
import { text } from './text.ts';
document.title = text + shared + import.meta.env.VITE_COLOR;
import.meta.hot?.accept('./shared.ts', (module) => { document.title = module?.shared; });
import.meta.hot?.accept('./text.ts', (module) => { document.title = module?.text; });
import.meta.hot?.on('medusa-vite:update', ({ result }) => console.log(result));
`,
      'web/shared.ts': `export const shared = 'first';\n`,
      'src/api/shared/route.ts': `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { shared } from '../../../web/shared';
export const GET = (_: MedusaRequest, res: MedusaResponse) => { res.json({ shared }); };
`,
      'src/lib/far.ts': `export const far = 'away';\n`,
      'src/lib/between.ts': `export { far } from './far';\n`,
      'src/api/far/route.ts': `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { far } from '../../lib/between';
export const GET = (_: MedusaRequest, res: MedusaResponse) => { res.json({ far }); };
`,
    },
  });
  dev = await startDevServer(project, {
    databaseUrl: database.url,
    launcher: 'vite',
    env: { DISABLE_MEDUSA_ADMIN: 'true' },
  });
});

afterEach(async () => {
  page?.close();
  page = undefined;
  const mark = dev.mark();
  for (const file of project.restore()) {
    await dev.updateSince(mark, file);
  }
});

afterAll(async () => {
  try {
    await dev?.stop();
  } finally {
    project.dispose();
    await database.drop();
  }
});

function config(options = ''): string {
  return `
import { medusa } from 'medusa-vite';
export default {
  plugins: [medusa({ port: 0, json: true, ${options} }), {
    name: 'restarter',
    configureServer(server) {
      server.middlewares.use('/restart', (_, res) => server.restart().then(() => res.end()));
    },
  }],
  server: { port: ${vitePort}, strictPort: true },
};
`;
}

const front = async (path: string): Promise<string> =>
  (await fetch(`http://localhost:${vitePort}${path}`)).text();

/** How often Vite has said so. */
const restarts = (): number => dev.output().split('[vite] server restarted').length - 1;

/** A page that has loaded the front end. */
async function openPage(): Promise<HmrClient> {
  expect(await front('/')).toContain('/@vite/client');
  expect(await front('/web/main.ts')).toContain('/web/text.ts');
  expect(await front('/web/text.ts')).toContain('one');
  page = await HmrClient.connect(`http://localhost:${vitePort}/`);
  await page.message(({ type }) => type === 'connected');
  return page;
}

test('the front end is served as ever, with the variables of `.env` that are its own', async () => {
  await openPage();
  expect(await front('/web/main.ts')).toContain('"VITE_COLOR": "red"');
  expect(dev.output()).toContain(`Local:   http://localhost:${vitePort}/`);
  expect(dev.output()).toContain(`Server is ready on port: ${dev.ready.port}`);
});

test('a backend file reloads no page; the front end is told of the update', async () => {
  const browser = await openPage();
  const update = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('pong', 'hot')),
  );
  expect(update.result).toBe('reloaded');
  expect((await dev.get('/ping')).body).toEqual({ ping: 'hot' });
  const told = await browser.message(({ event }) => event === 'medusa-vite:update');
  expect(told.data).toEqual(update);

  const restarted = await dev.nextUpdate('medusa-config.ts', () =>
    project.edit('medusa-config.ts', (source) => `${source}\nObject.assign(globalThis, { x: 1 });`),
  );
  expect(restarted.result).toBe('restarted');
  await browser.message(
    ({ event, data }) =>
      event === 'medusa-vite:update' && (data as typeof update).result === 'restarted',
  );
  expect(browser.isOpen).toBe(true);
  expect(browser.messages.map(({ type }) => type)).not.toContain('full-reload');
  expect(browser.messages.map(({ type }) => type)).not.toContain('update');
});

test("a front-end file goes through Vite's own HMR, and does not touch the app", async () => {
  const browser = await openPage();
  const { pid } = (await dev.get('/stats')).body as { pid: number };
  const update = await dev.nextUpdate('web/text.ts', () =>
    project.edit('web/text.ts', (source) => source.replace('one', 'second')),
  );
  expect(update).toMatchObject({ result: 'ignored', reason: 'not loaded by the app' });
  const { updates } = await browser.message(({ type }) => type === 'update');
  expect(updates).toMatchObject([{ type: 'js-update', path: '/web/main.ts' }]);
  expect((await dev.get('/stats')).body).toMatchObject({ pid });
});

test('a file that both sides import is new on both', async () => {
  const browser = await openPage();
  expect(await front('/web/shared.ts')).toContain('first');
  const update = await dev.nextUpdate('web/shared.ts', () =>
    project.edit('web/shared.ts', (source) => source.replace('first', 'second')),
  );
  expect(update).toMatchObject({ result: 'reloaded', resources: ['route GET /shared'] });
  expect((await dev.get('/shared')).body).toEqual({ shared: 'second' });
  const { updates } = await browser.message(({ type }) => type === 'update');
  expect(updates).toMatchObject([{ type: 'js-update', path: '/web/main.ts' }]);
  expect(await front('/web/shared.ts')).toContain('second');
});

test('`.env` restarts both, once', async () => {
  const mark = dev.mark();
  const restartsBefore = restarts();
  // In one step: what is saved in two may be read in between, and once more after that.
  const update = await dev.nextUpdate('.env', () =>
    project.saveLikeAnEditor('.env', () => 'VITE_COLOR=dark blue\nSHOP_ONE=another\n'),
  );
  expect(update).toMatchObject({ result: 'restarted', reason: '.env changed' });
  expect((await dev.get('/env?key=SHOP_ONE')).body).toEqual({ key: 'SHOP_ONE', value: 'another' });
  await until(
    () => front('/web/main.ts'),
    (code) => code.includes('dark blue'),
  );
  // The watcher is another one now.
  const hot = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('pong', 'after .env')),
  );
  expect(hot.result).toBe('reloaded');
  expect(dev.updatesSince(mark)).toHaveLength(2);
  expect(restarts()).toBe(restartsBefore + 1);
});

// Caused by a graph that was empty then: what nothing seemed to import was dropped, and its next save ignored.
test('a restart of Vite alone keeps the app, and nothing is stale after it', async () => {
  const { pid } = (await dev.get('/stats')).body as { pid: number };
  const restartsBefore = restarts();
  // Vite ends its connections, this one included.
  await front('/restart').catch(() => {});
  await until(restarts, (count) => count > restartsBefore);
  for (const far of ['and farther', 'and farther than that']) {
    const update = await dev.nextUpdate('src/lib/far.ts', () =>
      project.edit('src/lib/far.ts', () => `export const far = '${far}';\n`),
    );
    expect(update).toMatchObject({ result: 'reloaded', resources: ['route GET /far'] });
    expect((await dev.get('/far')).body).toEqual({ far });
  }
  expect((await dev.get('/stats')).body).toMatchObject({ pid });
});

test('a changed `vite.config` restarts both, on the same ports', async () => {
  const { port } = dev.ready;
  const { pid } = (await dev.get('/stats')).body as { pid: number };
  const update = await dev.nextUpdate(CONFIG, () =>
    project.edit(CONFIG, (source) =>
      source.replace('server: {', "define: { __COLOR__: '1' }, server: {"),
    ),
  );
  expect(update).toMatchObject({ result: 'restarted', reason: `${CONFIG} changed` });
  expect(isRunning(pid)).toBe(false);
  expect(dev.ready.port).toBe(port);
  expect((await dev.get('/ping')).status).toBe(200);
  await until(
    () => front('/web/main.ts').catch(() => ''),
    (code) => code.includes('/web/text.ts'),
  );
  const hot = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('pong', 'after the config')),
  );
  expect(hot.result).toBe('reloaded');
});

// Vite would restart with the empty file, which is a config without the plugin.
test('a `vite.config` that is emptied and then filled is taken once it is whole', async () => {
  const { pid } = (await dev.get('/stats')).body as { pid: number };
  const update = await dev.nextUpdate(CONFIG, async () => {
    const whole = project.read(CONFIG);
    project.write(CONFIG, '');
    await delay(BETWEEN_WRITES_MS);
    project.write(CONFIG, `${whole}\n// Written in two steps.\n`);
  });
  expect(update).toMatchObject({ result: 'restarted', reason: `${CONFIG} changed` });
  expect(isRunning(pid)).toBe(false);
  await until(
    () => front('/web/main.ts').catch(() => ''),
    (code) => code.includes('/web/text.ts'),
  );
});

test('a `vite.config` that is saved again while Vite restarts with it is the one that counts', async () => {
  const answering = (text: string, hooks = '') =>
    project.read(CONFIG).replace(
      'plugins: [',
      `plugins: [{
        name: 'which',
        configureServer({ middlewares }) {
          middlewares.use('/which', (_, res) => res.end('${text}'));
        },
        ${hooks}
      }, `,
    );
  const [first, second] = [answering('first', SLOW_TO_LOAD), answering('second')];
  const mark = dev.mark();
  project.write(CONFIG, first);
  await until(() => existsSync(join(project.root, LOADING)), Boolean);
  project.write(CONFIG, second);
  await until(
    () => front('/which').catch(() => ''),
    (text) => text === 'second',
  );
  expect(await dev.updateSince(mark, CONFIG)).toMatchObject({ result: 'restarted' });
  await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('pong', 'after two of them')),
  );
  expect((await dev.get('/ping')).body).toEqual({ ping: 'after two of them' });
  expect(await front('/which')).toBe('second');
});

// What fails comes with the config alone: of two files, the first may be told of before the other.
test('an app that cannot start with what Vite has taken already does not restart Vite at every save', async () => {
  await dev.nextUpdate(PING, () =>
    project.edit(
      PING,
      (source) => `if (typeof __BROKEN__ !== 'undefined') throw new Error('one');\n${source}`,
    ),
  );
  expect((await dev.get('/ping')).status).toBe(200);
  const broken = await dev.nextUpdate(CONFIG, () =>
    project.edit(CONFIG, (source) =>
      source.replace('server: {', "define: { __BROKEN__: '1' }, server: {"),
    ),
  );
  expect(broken).toMatchObject({ result: 'kept-previous', isDown: true });
  expect((await dev.get('/ping')).status).toBe(503);
  const restartsBefore = restarts();
  const again = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace("'one'", "'another'")),
  );
  expect(again).toMatchObject({ result: 'kept-previous', isDown: true });
  const mended = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.slice(source.indexOf('\n') + 1)),
  );
  expect(mended.result).toBe('restarted');
  expect((await dev.get('/ping')).body).toEqual({ ping: 'pong' });
  expect(restarts()).toBe(restartsBefore);
});

test('options of `medusa()` that change take effect, and the old port is free', async () => {
  const before = dev.ready.port;
  const port = await freePort();
  const mark = dev.mark();
  const update = await dev.nextUpdate(CONFIG, () => {
    project.edit(PING, (source) => source.replace('pong', 'on another port'));
    project.edit(CONFIG, (source) => source.replace('port: 0', `port: ${port}`));
  });
  expect(update).toMatchObject({ result: 'restarted', reason: `${CONFIG} changed` });
  expect(dev.ready.port).toBe(port);
  expect((await dev.get('/ping')).body).toEqual({ ping: 'on another port' });
  await dev.updateSince(mark, PING);
  expect(dev.updatesSince(mark, PING)).toHaveLength(1);
  expect(await isPortTaken(before)).toBe(false);
});

test('a `vite.config` that does not load changes nothing until it is mended', async () => {
  const broken = await dev.nextUpdate(CONFIG, () => project.write(CONFIG, 'export default {{;\n'));
  expect(broken).toMatchObject({ result: 'kept-previous' });
  expect((await dev.get('/ping')).status).toBe(200);
  expect(await front('/web/text.ts')).toContain('one');
});

test('a port that is taken is named, and the front end goes on', async () => {
  const run = await runVite(dev.ready.port);
  await until(
    () => run.output,
    (output) => output.includes('the front end goes on'),
  );
  expect(run.output).toContain(`Port \`${dev.ready.port}\` is in use`);
  expect(run.output).not.toContain('    at ');
  await run.stop();
});

test('when it is killed, nothing is left', async () => {
  const other = createProject({
    launcher: 'vite',
    files: { [CONFIG]: config().replace(String(vitePort), String(await freePort())) },
  });
  const run = await startDevServer(other, {
    databaseUrl: database.url,
    launcher: 'vite',
    env: { DISABLE_MEDUSA_ADMIN: 'true' },
  });
  const pids = processTree(run.pid);
  expect(pids.length).toBeGreaterThan(1);
  run.signal('SIGKILL');
  await allEnd(pids, run.ready.port);
  await run.stop();
  other.dispose();
});

test('`medusa-vite dev` runs the backend alone, with the same `vite.config`', async () => {
  const port = await freePort();
  const other = createProject({
    launcher: 'vite',
    files: { [CONFIG]: config().replace(String(vitePort), String(port)) },
  });
  const run = await startDevServer(other, {
    databaseUrl: database.url,
    launcher: 'cli',
    env: { DISABLE_MEDUSA_ADMIN: 'true' },
  });
  const update = await run.nextUpdate(PING, () =>
    other.edit(PING, (source) => source.replace('pong', 'by the command')),
  );
  expect(update.result).toBe('reloaded');
  expect((await run.get('/ping')).body).toEqual({ ping: 'by the command' });
  expect(run.events.filter(({ event }) => event === 'ready')).toHaveLength(1);
  expect(await isPortTaken(port)).toBe(false);
  await run.stop();
  other.dispose();
});

test.each(['build', 'preview'])('`vite %s` has no backend', async (command) => {
  // `preview` serves what `build` made.
  const vite = viteBin();
  const port = command === 'preview' ? ['--port', '0'] : [];
  const child = spawn(process.execPath, [vite, command, '--outDir', 'web-dist', ...port], {
    cwd: project.root,
    env: cleanEnv({ DATABASE_URL: database.url }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  if (command === 'preview') {
    await until(
      () => output,
      (text) => text.includes('Local:'),
    );
    expect(processTree(child.pid ?? 0)).toHaveLength(1);
    child.kill('SIGTERM');
    await once(child, 'exit');
  } else {
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(output).toContain('built in');
  }
  expect(output).not.toContain('medusa]');
});

test('`vitest run` with the same config has no backend', async () => {
  const file = 'web/sum.test.ts';
  project.write(
    file,
    "import { expect, test } from 'vitest';\ntest('a sum', () => expect(1 + 1).toBe(2));\n",
  );
  const run = new CliRun(['run', file], {
    cwd: project.root,
    cli: join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs'),
    env: { DATABASE_URL: database.url },
  });
  const { code, survivors } = await run.ends();
  expect([code, run.output]).toEqual([0, expect.stringContaining('1 passed')]);
  expect(run.output).not.toContain('medusa]');
  expect(survivors).toEqual([]);
});

function viteBin(): string {
  const manifest = createRequire(join(project.root, 'package.json')).resolve('vite/package.json');
  return join(dirname(manifest), 'bin/vite.js');
}

/** A second `vite` in the same project; the app's port as given. */
async function runVite(appPort: number): Promise<CliRun> {
  const port = await freePort();
  project.write(
    'other.config.ts',
    config().replace('port: 0', `port: ${appPort}`).replace(String(vitePort), String(port)),
  );
  return new CliRun(['--config', 'other.config.ts'], {
    cwd: project.root,
    cli: viteBin(),
    env: { DATABASE_URL: database.url, DISABLE_MEDUSA_ADMIN: 'true' },
  });
}
