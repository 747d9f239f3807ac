import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyProduct } from './support/built-product.ts';
import { type DevServer, startDevServer } from './support/dev-server.ts';
import { createProject } from './support/project.ts';
import { until } from './support/until.ts';

const WARM_UP = 30;
const RESTARTS = 150;
/** Measured: 2 kB; 28 kB with a host that holds on to what it knows of each app's modules. */
const LIMIT_BYTES_PER_RESTART = 10_000;

/** In the place of the app's process: takes all modules from the host, and serves, without a Medusa. */
const APP = `
import { createServer } from 'node:http';
import { readdirSync } from 'node:fs';
import { interceptListen } from './port/listen-interception.js';
import { ModuleChannel } from './runner/module-channel.js';
const { root, port } = JSON.parse(process.env.MEDUSA_VITE_APP);
const channel = new ModuleChannel(4);
const connections = interceptListen({ port });
const entries = readdirSync(root + '/src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('admin'))
  .map((file) => root + '/src/' + file);
for (const id of entries) channel.request({ type: 'fetch', id, importer: undefined });
const natives = [root + '/src/lib/native.cjs'];
process.send({ type: 'loaded', loaded: { entries, edges: [], natives, accepts: [] } });
process.on('disconnect', () => process.exit());
process.on('message', async ({ type, id }) => {
  if (type === 'start') {
    createServer((_, response) => response.end('served'))
      .listen(port, () => process.send({ type: 'ready' }));
  } else if (type === 'ping') {
    process.send({ type: 'pong', id });
  } else if (type === 'shutdown') {
    await connections.drain(4_000);
    process.exit();
  }
});
process.send({ type: 'prepared', app: { backendHmr: true, adminPath: null } });
`;
const TELLS_HEAP = `
import v8 from 'node:v8';
import vm from 'node:vm';
v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  process.stderr.write('\\nheap: ' + process.memoryUsage().heapUsed + '\\n');
});
`;

const product = copyProduct();
const project = createProject({ files: { 'src/lib/native.cjs': 'exports.answer = 1;\n' } });
/** The host asks whether somebody is there. */
const database = createServer((socket) => socket.on('error', () => {}));
let dev: DevServer;

beforeAll(async () => {
  writeFileSync(join(product.folder, 'dist/src/app/main.js'), APP);
  const probe = join(product.folder, 'tells-heap.mjs');
  writeFileSync(probe, TELLS_HEAP);
  await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
  const address = database.address();
  const port = address instanceof Object ? address.port : 0;
  dev = await startDevServer(project, {
    cli: product.cli,
    databaseUrl: `postgres://127.0.0.1:${port}/none`,
    env: { NODE_OPTIONS: `--import ${JSON.stringify(pathToFileURL(probe).href)}` },
  });
});

afterAll(async () => {
  try {
    await dev?.stop();
  } finally {
    database.close();
    project.dispose();
    product.dispose();
  }
});

async function restart(times: number): Promise<void> {
  for (let index = 0; index < times; index++) {
    const update = await dev.nextUpdate('.env', () =>
      project.write('.env', `ROUND=${performance.now()}\n`),
    );
    expect(update.result).toBe('restarted');
    expect((await dev.get('/')).text).toBe('served');
  }
}

/** Bytes that live in the host, after a collection. */
async function heap(): Promise<number> {
  const mark = dev.output().length;
  dev.signal('SIGUSR2');
  const bytes = await until(
    () => /heap: (\d+)/.exec(dev.output().slice(mark))?.[1],
    (found) => found !== undefined,
  );
  return Number(bytes);
}

test.runIf(process.platform !== 'win32')(
  `the host keeps nothing of an app that is gone, over ${RESTARTS} restarts`,
  async () => {
    await restart(WARM_UP);
    const before = await heap();
    await restart(RESTARTS);
    const perRestart = ((await heap()) - before) / RESTARTS;
    expect(perRestart).toBeLessThan(LIMIT_BYTES_PER_RESTART);
  },
  300_000,
);
