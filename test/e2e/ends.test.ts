import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { allEnd, END_LIMIT_MS } from './support/all-end.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { DevServer, startDevServer } from './support/dev-server.ts';
import { LAUNCHER } from './support/launcher.ts';
import { findProcess, isPortTaken, isRunning, processTree } from './support/processes.ts';
import { createProject, type Project } from './support/project.ts';
import { HAS_TERMINAL, Terminal } from './support/terminal.ts';
import { until } from './support/until.ts';

let database: TestDatabase;
let project: Project;
let dev: DevServer | undefined;
let terminal: Terminal | undefined;

beforeAll(async () => {
  database = await createDatabase();
  project = createProject({
    files: {
      'src/api/fault/route.ts': `
import { mkdirSync, writeFileSync } from 'node:fs';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import.meta.hot?.dispose(() => {
  mkdirSync('static', { recursive: true });
  writeFileSync('static/disposed', '');
});
export const GET = (req: MedusaRequest, res: MedusaResponse) => {
  if (req.query.kind === 'endless') return;
  if (req.query.kind === 'loop') for (;;);
  if (req.query.marker) {
    mkdirSync('static', { recursive: true });
    writeFileSync(\`static/\${req.query.marker}\`, '');
  }
  setTimeout(() => res.json({ done: true }), 1000);
};
`,
    },
  });
});

afterEach(async () => {
  await dev?.stop();
  dev = undefined;
  await terminal?.close();
  terminal = undefined;
});

afterAll(async () => {
  project.dispose();
  await database.drop();
});

async function start(): Promise<DevServer> {
  dev = await startDevServer(project, { databaseUrl: database.url });
  return dev;
}

/** Written by an app that cleans up. */
const disposed = () => join(project.root, 'static/disposed');

/** Everything that runs is gone in time, and the port with it. */
async function expectEnd(pids: number[], port: number, startedAt: number): Promise<void> {
  expect(pids.length).toBeGreaterThan(1);
  await allEnd(pids, port, END_LIMIT_MS - (performance.now() - startedAt));
}

/** Keeps the app busy for ever. */
async function loop(server: DevServer): Promise<void> {
  void server.get('/fault?kind=loop').catch(() => {});
  await until(
    () =>
      server.get('/ping', { signal: AbortSignal.timeout(300) }).then(
        () => false,
        () => true,
      ),
    (isStuck) => isStuck,
  );
}

describe('the host is sent', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s: it finishes what runs and ends with code %i',
    async (signal, code) => {
      const server = await start();
      const pids = processTree(server.pid);
      const { port } = server.ready;
      expect(await isPortTaken(port)).toBe(true);
      const marker = join(project.root, `static/${signal}`);
      const slow = server.get(`/fault?kind=slow&marker=${signal}`);
      await until(
        () => existsSync(marker),
        (isRead) => isRead,
      );
      const startedAt = performance.now();
      server.signal(signal);
      expect((await slow).body).toEqual({ done: true });
      await expectEnd(pids, port, startedAt);
      expect(await server.stop()).toEqual({ code, signal: null });
    },
    120_000,
  );

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s twice: it waits for nothing',
    async (signal, code) => {
      const server = await start();
      const endless = server.get('/fault?kind=endless').catch(() => 'cut off');
      await server.get('/ping');
      const pids = processTree(server.pid);
      rmSync(disposed(), { force: true });
      const startedAt = performance.now();
      // Two that come within a moment are one: `npm run` passes on what the terminal has sent already.
      await until(
        () => {
          server.signal(signal);
          return isRunning(server.pid);
        },
        (isThere) => !isThere,
      );
      await expectEnd(pids, server.ready.port, startedAt);
      // What comes after the wait for requests in flight.
      expect(existsSync(disposed())).toBe(false);
      expect(await endless).toBe('cut off');
      expect(await server.stop()).toEqual({ code, signal: null });
    },
    120_000,
  );

  test('SIGINT while the app boots: that it does not come up is no error', async () => {
    const marker = join(project.root, '.medusa/booting');
    const mark = "require('fs').mkdirSync('.medusa', { recursive: true });";
    project.edit(
      'medusa-config.ts',
      (source) => `${source}\n${mark}\nrequire('fs').writeFileSync('.medusa/booting', '');\n`,
    );
    const server = new DevServer(project, { databaseUrl: database.url });
    dev = server;
    await until(
      () => existsSync(marker),
      (isBooting) => isBooting,
    );
    server.signal('SIGINT');
    await until(
      () => server.hasEnded,
      (hasEnded) => hasEnded,
    );
    expect(server.events).toEqual([]);
    expect(server.output()).not.toMatch(/dev server is closing|backend was closed/);
    expect(await server.stop()).toEqual({ code: 130, signal: null });
    project.restore();
  });

  test('SIGTERM while the config waits for something: the app cleans up and says nothing', async () => {
    project.edit(
      'medusa-config.ts',
      (source) => `${source}
import { mkdirSync } from 'node:fs';
import.meta.hot?.dispose(() => mkdirSync('.medusa/ended', { recursive: true }));
mkdirSync('.medusa/waiting', { recursive: true });
await new Promise((resolve) => setTimeout(resolve, 60_000));
`,
    );
    const server = new DevServer(project, { databaseUrl: database.url });
    dev = server;
    await until(
      () => existsSync(join(project.root, '.medusa/waiting')),
      (isWaiting) => isWaiting,
    );
    server.signal('SIGTERM');
    await until(
      () => server.hasEnded,
      (hasEnded) => hasEnded,
    );
    expect(server.output()).not.toContain('Error');
    // As no process does that has to be killed.
    expect(existsSync(join(project.root, '.medusa/ended'))).toBe(true);
    expect(await server.stop()).toEqual({ code: 143, signal: null });
    project.restore();
  });

  test('SIGTERM while the app is in an endless loop: nothing is left', async () => {
    const server = await start();
    await loop(server);
    const pids = processTree(server.pid);
    const startedAt = performance.now();
    server.signal('SIGTERM');
    await expectEnd(pids, server.ready.port, startedAt);
  });

  test('SIGKILL: nothing is left', async () => {
    const server = await start();
    const pids = processTree(server.pid);
    const startedAt = performance.now();
    server.signal('SIGKILL');
    await expectEnd(pids, server.ready.port, startedAt);
  });

  test('SIGKILL while the admin is in an endless loop: nothing is left', async () => {
    const loop = "vite: () => { require('fs').writeFileSync('.medusa/looping', ''); for (;;); },";
    project.edit('medusa-config.ts', (source) => source.replace('admin: {', `admin: { ${loop}`));
    const server = await start();
    await until(
      () => existsSync(join(project.root, '.medusa/looping')),
      (isLooping) => isLooping,
    );
    const pids = processTree(server.pid);
    expect(pids).toContain(findProcess(server.pid, /admin\/main\.js/));
    const startedAt = performance.now();
    server.signal('SIGKILL');
    await expectEnd(pids, server.ready.port, startedAt);
    project.restore();
  });

  test('SIGKILL while the app is in an endless loop: nothing is left', async () => {
    const server = await start();
    await loop(server);
    const pids = processTree(server.pid);
    const startedAt = performance.now();
    server.signal('SIGKILL');
    await expectEnd(pids, server.ready.port, startedAt);
  });
});

// The keys of `vite` are Vite's; a launcher has these three signals at least.
describe.runIf(HAS_TERMINAL && LAUNCHER === 'cli')('in a terminal', () => {
  async function open(): Promise<Terminal> {
    const browser = join(project.root, 'static browser.sh');
    writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > "${project.root}/.medusa/opened"\n`);
    chmodSync(browser, 0o755);
    terminal = new Terminal({
      cwd: project.root,
      env: { DATABASE_URL: database.url, BROWSER: browser },
    });
    await terminal.prints('press h + enter to show help');
    return terminal;
  }

  function portOf({ output }: Terminal): number {
    return Number(/Server is ready on port: (\d+)/.exec(output)?.[1]);
  }

  test('keys work', async () => {
    const tty = await open();
    const port = portOf(tty);
    const url = `http://localhost:${port}`;
    await tty.type('h', 'press r + enter to restart the app');
    await tty.type('u', `app: ${url}, admin: ${url}/app`);
    await tty.type('o', `opened ${url}/app`);
    const opened = join(project.root, '.medusa/opened');
    await until(
      () => existsSync(opened) && readFileSync(opened, 'utf8'),
      (text) => text === `${url}/app`,
    );
    tty.press('c\n');
    await until(
      () => tty.rawOutput,
      (output) => output.includes('\u001B[2J'),
    );
    await tty.type('rs', 'restarted: asked for by a key');
    const { pids } = tty;
    const startedAt = performance.now();
    tty.press('q\n');
    await expectEnd(pids, port, startedAt);
    await until(
      () => tty.exitCode,
      (code) => code === 0,
    );
  }, 180_000);

  test('Ctrl-C ends it', async () => {
    const tty = await open();
    const { pids } = tty;
    const port = portOf(tty);
    const startedAt = performance.now();
    tty.press('\u0003');
    await expectEnd(pids, port, startedAt);
    await until(
      () => tty.exitCode,
      (code) => code === 130,
    );
  });

  test('nothing is left when the terminal is closed', async () => {
    const tty = await open();
    const { pids } = tty;
    const port = portOf(tty);
    const startedAt = performance.now();
    await tty.close();
    await expectEnd(pids, port, startedAt);
  });
});
