import http from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { DevServer } from './support/dev-server.ts';
import { freePort } from './support/ports.ts';
import { isPortTaken } from './support/processes.ts';
import { createProject, type Project } from './support/project.ts';
import { until } from './support/until.ts';

const ROUTE = 'src/api/address/route.ts';
/** Also shows what a socket that was passed on can do. */
const GOOD = `
const upgrading = new WeakSet();
export const GET = (req: any, res: any) => {
  const { server } = req.socket;
  if (!upgrading.has(server)) {
    upgrading.add(server);
    server.on('upgrade', (request: any, socket: any) => {
      socket.end('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n' + request.url);
    });
  }
  res.json({ address: req.socket.remoteAddress, port: req.socket.remotePort });
};
`;

let database: TestDatabase;
let project: Project;
let port: number;
let dev: DevServer;

beforeAll(async () => {
  database = await createDatabase();
  project = createProject({ files: { [ROUTE]: `${GOOD}\nthrow new Error('not before noon');\n` } });
  port = await freePort();
  dev = new DevServer(project, {
    databaseUrl: database.url,
    args: ['-p', String(port)],
    launcher: 'cli',
  });
});

afterAll(async () => {
  await dev.stop();
  project.dispose();
  await database.drop();
});

async function ask(accept: string): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/address`, { headers: { accept } });
  const type = response.headers.get('content-type');
  return { status: response.status, type, text: await response.text() };
}

test('a first boot that fails lets nobody wait, and the save that mends it starts the app', async () => {
  await until(() => isPortTaken(port), Boolean);
  // The first is sent before anything is known of the app. It waits, but not for as long as a busy machine may take.
  const early = await until(
    () => ask('*/*'),
    ({ text }) => text.includes('not before noon'),
  );
  expect(early).toMatchObject({ status: 503, type: 'text/plain; charset=utf-8' });
  expect(dev.events).toMatchObject([
    { event: 'error', error: { message: expect.stringContaining('not before noon') } },
  ]);

  const json = await ask('application/json');
  expect(json).toMatchObject({ status: 503, type: 'application/json; charset=utf-8' });
  expect(JSON.parse(json.text)).toBeInstanceOf(Object);
  expect(json.text).toContain('not before noon');
  const page = await ask('text/html,application/xhtml+xml');
  expect(page).toMatchObject({ status: 503, type: 'text/html; charset=utf-8' });
  expect(page.text).toContain('not before noon');
  expect(await isPortTaken(port)).toBe(true);

  const update = await dev.nextUpdate(ROUTE, () => project.write(ROUTE, GOOD));
  expect(update).toMatchObject({ result: 'restarted', files: [ROUTE] });
  expect((await ask('*/*')).status).toBe(200);
});

test('the app sees its clients as they are, and upgrades their connections', async () => {
  const agent = new http.Agent({ keepAlive: true });
  const seen = await new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/address', agent }, (response) => {
      const from = { address: '127.0.0.1', port: request.socket?.localPort };
      response.setEncoding('utf8').once('data', (body: string) => {
        const { address, port } = JSON.parse(body) as { address: string; port: number };
        resolve({ from, seen: { address: address.replace('::ffff:', ''), port } });
      });
    });
    request.once('error', reject);
  });
  agent.destroy();
  const { from, seen: address } = seen as { from: object; seen: object };
  expect(address).toEqual(from);

  const echoed = await new Promise<string>((resolve, reject) => {
    const request = http.get({
      host: '127.0.0.1',
      port,
      path: '/socket',
      headers: { connection: 'upgrade', upgrade: 'echo' },
    });
    request.once('error', reject);
    request.once('upgrade', (_response, socket, head) => {
      let text = head.toString();
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.once('end', () => resolve(text));
    });
  });
  expect(echoed).toBe('/socket');
});
