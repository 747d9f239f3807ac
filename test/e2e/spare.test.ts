import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createProbedProject, type HotApp, startFresh, startHot } from '../oracle/apps.ts';
import { differences, probe } from '../oracle/probe.ts';
import { allEnd } from './support/all-end.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { type DevServer, startDevServer } from './support/dev-server.ts';
import { isRunning, processTree } from './support/processes.ts';
import type { Project } from './support/project.ts';
import { CLI } from './support/repository.ts';
import { touch } from './support/touch.ts';
import { until } from './support/until.ts';

const ENV = { DEBUG: 'medusa-vite:spare' };
const CONFIG = 'medusa-config.ts';
const SPARE_WAIT_MS = 60_000;

const files = new Map([
  [
    'src/api/env/route.ts',
    `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
export const GET = (req: MedusaRequest, res: MedusaResponse) => {
  res.json({ value: process.env[String(req.query.key)] ?? null });
};
`,
  ],
  [
    'src/api/seen/route.ts',
    `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
export const GET = (_: MedusaRequest, res: MedusaResponse) => {
  res.json({ seen: (globalThis as { seen?: string[] }).seen ?? [] });
};
`,
  ],
]);

let databases: TestDatabase[];
let project: Project;
let hot: HotApp;
let dev: DevServer;

beforeAll(async () => {
  databases = await Promise.all([createDatabase(), createDatabase()]);
  project = createProbedProject(files);
  hot = await startHot(project, appOptions(0));
  dev = hot.dev;
});

beforeEach(() => dev.showOutputOnFailure());

afterAll(async () => {
  await hot.stop();
  project.dispose();
  await Promise.all(databases.map((database) => database.drop()));
});

function appOptions(database: number) {
  return {
    databaseUrl: databases[database]?.url ?? '',
    publishableKey: inject('publishableKey'),
    cli: CLI,
    env: ENV,
  };
}

function count(output: string, text: string): number {
  return output.split(text).length - 1;
}

const said = (server: DevServer, what: string) => count(server.output(), `spare: ${what}`);

/** Waits until the app that serves has a spare. @returns all processes */
async function spareOf(server: DevServer): Promise<number[]> {
  await until(
    () => server.output(),
    (output) => output.lastIndexOf('spare: ready') > output.lastIndexOf('Server is ready on port'),
    SPARE_WAIT_MS,
  );
  return processTree(server.pid);
}

/** A restart that was asked for says nothing of the new process. */
async function servingPid(): Promise<number> {
  return ((await dev.get('/stats')).body as { pid: number }).pid;
}

async function restart(file: string, save: () => void): Promise<void> {
  const update = await dev.nextUpdate(file, save);
  expect(update).toMatchObject({ result: 'restarted', files: [file] });
}

const touchConfig = () => project.edit(CONFIG, touch);

test('a restart takes the spare, which then answers like a cold start', async () => {
  const before = await spareOf(dev);
  const { childPid } = dev;
  await restart(CONFIG, touchConfig);
  const pid = await servingPid();
  expect(pid).not.toBe(childPid);
  expect(before).toContain(pid);
  expect(isRunning(childPid)).toBe(false);
  // One more generation, which has its list of packages from a spare.
  expect(await spareOf(dev)).not.toContain(childPid);
  await restart(CONFIG, touchConfig);
  expect(said(dev, 'not used')).toBe(0);

  const fresh = await startFresh('stock', project, appOptions(1));
  try {
    const [expected, actual] = [
      await probe(fresh, { full: true }),
      await probe(hot, { full: true }),
    ];
    expect(differences(expected, actual)).toEqual([]);
  } finally {
    await fresh.stop();
  }
}, 240_000);

test('a variable that nothing reads while it is loaded is the new one', async () => {
  const before = await spareOf(dev);
  await restart('.env', () => project.write('.env', 'SHOP_NEW=yes\n'));
  expect((await dev.get('/env?key=SHOP_NEW')).body).toEqual({ value: 'yes' });
  expect(before).toContain(await servingPid());
  await spareOf(dev);
  await restart('.env', () => project.write('.env', '\n'));
  expect((await dev.get('/env?key=SHOP_NEW')).body).toEqual({ value: null });
  expect(said(dev, 'not used')).toBe(0);
}, 240_000);

test('a variable that a package has read takes a new process', async () => {
  const before = await spareOf(dev);
  const times = said(dev, 'not used: the variable NODE_DEBUG has changed');
  await restart('.env', () => project.write('.env', 'NODE_DEBUG=shop\n'));
  expect(said(dev, 'not used: the variable NODE_DEBUG has changed')).toBe(times + 1);
  expect(before).not.toContain(await servingPid());
}, 240_000);

test('code that hooks into the loading of packages sees all that it sees in a cold start', async () => {
  await restart('.env', () => project.write('.env', '\n'));
  await spareOf(dev);
  const hook = `
import { Module } from 'node:module';
export function register() {
  const seen: string[] = [];
  (globalThis as { seen?: string[] }).seen = seen;
  const { require } = Module.prototype;
  Module.prototype.require = function (this: unknown, id: string) {
    if (/core-flows|medusa.product/.test(id)) seen.push(id);
    return Reflect.apply(require, this, [id]);
  } as typeof require;
}
`;
  await restart('instrumentation.ts', () => project.write('instrumentation.ts', hook));
  expect(said(dev, 'not used: the project hooks into')).toBe(1);
  const first = (await dev.get('/seen')).body as { seen: string[] };
  expect(first.seen).not.toEqual([]);
  // The next spare has nothing but Medusa, so that it can be used.
  const before = await spareOf(dev);
  await restart(CONFIG, touchConfig);
  expect(before).toContain(await servingPid());
  expect((await dev.get('/seen')).body).toEqual(first);
}, 240_000);

test('an app that is killed is followed by the spare', async () => {
  const before = await spareOf(dev);
  const mark = dev.mark();
  process.kill(await servingPid(), 'SIGKILL');
  await dev.eventSince(mark, 'ready');
  expect(before).toContain(dev.childPid);
  expect((await dev.get('/ping')).status).toBe(200);
});

test('a changed package.json takes a new process', async () => {
  const before = await spareOf(dev);
  await restart('package.json', () => project.edit('package.json', (source) => `${source}\n`));
  expect(before).not.toContain(await servingPid());
});

describe('a spare ends when', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'the host is sent %s',
    async (signal) => {
      const server = await startDevServer(project, {
        databaseUrl: databases[1]?.url ?? '',
        env: ENV,
      });
      try {
        const pids = await spareOf(server);
        expect(pids.length).toBeGreaterThan(2);
        const { port } = server.ready;
        server.signal(signal);
        await allEnd(pids, port);
      } finally {
        await server.stop();
      }
    },
    120_000,
  );

  test('there is none with `--no-spare`', async () => {
    const server = await startDevServer(project, {
      databaseUrl: databases[1]?.url ?? '',
      args: ['--no-spare'],
      env: ENV,
    });
    try {
      const update = await server.nextUpdate(CONFIG, touchConfig);
      expect(update.result).toBe('restarted');
      expect(server.output()).not.toContain('spare: ready');
    } finally {
      await server.stop();
    }
  });
});
