import { existsSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { CliRun } from './support/cli.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { freePort } from './support/ports.ts';
import { createProject, type Project } from './support/project.ts';
import { touch } from './support/touch.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const CONFIG = 'medusa-config.ts';
const PROCESS_ROUTE = `
  export const GET = (_req: unknown, res: { json(body: unknown): void }) =>
    res.json({ execArgv: process.execArgv, pid: process.pid });
`;

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(() => database.drop());

describe('with PORT and HOST in `.env`, --inspect, --poll, --no-types and arguments for Node', () => {
  let project: Project;
  let dev: CliRun;
  let port: number;
  let inspectPort: number;

  beforeAll(async () => {
    project = createProject();
    port = await freePort();
    inspectPort = await freePort();
    project.write('.env', `PORT=${port}\nHOST=127.0.0.1\n`);
    project.write('src/api/process/route.ts', PROCESS_ROUTE);
    const args = ['dev', '--json', '--no-types', '--poll=50', `--inspect=127.0.0.1:${inspectPort}`];
    dev = new CliRun([...args, '--', '--max-old-space-size=777', '--no-warnings'], {
      cwd: project.root,
      env: { DATABASE_URL: database.url },
    });
    await dev.event('ready');
  });

  beforeEach(() => printOnFailure(dev));

  afterAll(async () => {
    await dev.stop();
    project.dispose();
  });

  test('it listens on that port', async () => {
    expect(await dev.event('ready')).toMatchObject({ port });
    // Medusa's own line comes a moment after the event.
    await until(
      () => dev.output,
      (output) => output.includes(`Server is ready on port: ${port}`),
    );
    expect((await getJson(`http://127.0.0.1:${port}/ping`)).ping).toBe('pong');
  });

  test('it listens on that host only', async () => {
    const other = otherAddress();
    await expect(fetch(`http://${other}:${port}/ping`)).rejects.toThrow('fetch failed');
  });

  test('the arguments reach the app', async () => {
    const { execArgv } = await getJson(`http://127.0.0.1:${port}/process`);
    expect(execArgv).toEqual(['--max-old-space-size=777', '--no-warnings']);
  });

  test('no types are written', () => {
    expect(existsSync(join(project.root, '.medusa/types'))).toBe(false);
  });

  test('a save is seen by polling', async () => {
    const update = await dev.update(PING, () =>
      project.edit(PING, (source) => source.replace("'pong'", "'polled'")),
    );
    expect(update).toMatchObject({ result: 'reloaded', files: [PING] });
    expect((await getJson(`http://127.0.0.1:${port}/ping`)).ping).toBe('polled');
  });

  test('the inspector answers, and after a restart on the same port for the new app', async () => {
    const before = await debuggerUrl();
    const { pid } = await getJson(`http://127.0.0.1:${port}/process`);
    const update = await dev.update(CONFIG, () => project.edit(CONFIG, touch));
    expect(update).toMatchObject({ result: 'restarted' });
    expect((await getJson(`http://127.0.0.1:${port}/process`)).pid).not.toBe(pid);
    expect(await debuggerUrl()).not.toBe(before);
  });

  async function debuggerUrl(): Promise<unknown> {
    const [target] = (await getJson(`http://127.0.0.1:${inspectPort}/json/list`)) as unknown as [
      { webSocketDebuggerUrl?: string },
    ];
    expect(target?.webSocketDebuggerUrl).toContain(`127.0.0.1:${inspectPort}/`);
    return target?.webSocketDebuggerUrl;
  }
});

describe('with -p 0 and -H', () => {
  let project: Project;
  let dev: CliRun;

  beforeAll(async () => {
    project = createProject();
    project.write('.env', 'PORT=1\nHOST=192.0.2.1\n');
    dev = new CliRun(['develop', '--json', '-p', '0', '-H', '127.0.0.1'], {
      cwd: project.root,
      env: { DATABASE_URL: database.url },
    });
    await dev.event('ready');
  });

  beforeEach(() => printOnFailure(dev));

  afterAll(async () => {
    await dev.stop();
    project.dispose();
  });

  test('it listens on a free port of that host, whatever `.env` says', async () => {
    const { port, url } = await dev.event('ready');
    expect(port).toBeGreaterThan(1023);
    expect(url).toContain(`:${port}`);
    expect((await getJson(`http://127.0.0.1:${port}/ping`)).ping).toBe('pong');
    await expect(fetch(`http://${otherAddress()}:${port}/ping`)).rejects.toThrow('fetch failed');
  });

  test('types are written, which is no update', async () => {
    const types = join(project.root, '.medusa/types');
    await until(
      () => readdirSync(types).sort(),
      (names) =>
        names.includes('modules-bindings.d.ts') && names.includes('query-entry-points.d.ts'),
    );
    // A save after them: what was to come of the types has come.
    await dev.update(PING, () => project.edit(PING, touch));
    const updates = dev.events.filter(({ event }) => event === 'update');
    expect(updates).toMatchObject([{ result: 'reloaded', files: [PING] }]);
  });
});

function printOnFailure(dev: CliRun): void {
  onTestFailed(() => console.error(dev.output));
}

async function getJson(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

/** An address of this machine that is not 127.0.0.1, in the form of a URL. */
function otherAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const other = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return other?.address ?? '[::1]';
}
