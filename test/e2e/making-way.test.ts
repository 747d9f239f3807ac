import { readFileSync } from 'node:fs';
import { Agent, get as httpGet } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { type DevServer, startDevServer } from './support/dev-server.ts';
import { createProject, type Project } from './support/project.ts';
import { SHOP } from './support/repository.ts';
import { until } from './support/until.ts';

const SERVICE = 'src/modules/brand/service.ts';
const LOG = 'static/order.log';

let database: TestDatabase;
let project: Project;
let dev: DevServer;

beforeAll(async () => {
  database = await createDatabase();
  project = createProject({
    files: {
      'src/lib/order.ts': `
import { appendFileSync, mkdirSync } from 'node:fs';
export function note(text: string): void {
  mkdirSync('static', { recursive: true });
  appendFileSync('${LOG}', \`\${process.pid} \${text}\\n\`);
}
`,
      // The app lets go of connections without a request as soon as it is to make way.
      'src/api/long/route.ts': `
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { note } from '../../lib/order';
let idle: Socket;
export const GET = async (req: MedusaRequest, res: MedusaResponse) => {
  if (req.query.idle) {
    idle = req.socket;
  } else {
    note('asked');
    await once(idle, 'close');
    await new Promise((resolve) => setTimeout(resolve, 200));
    note('answered');
  }
  res.json(process.pid);
};
import.meta.hot!.dispose(async () => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  note('disposed');
});
`,
      [SERVICE]: readFileSync(join(SHOP, SERVICE), 'utf8')
        .replace('import { toHandle }', "import { note } from '@lib/order';\nimport { toHandle }")
        .replace(
          'readonly #options',
          `__hooks = {
    onApplicationStart: async () => note('hook: start'),
    onApplicationPrepareShutdown: async () => note('hook: prepare'),
    onApplicationShutdown: async () => note('hook: end'),
  };
  readonly #options`,
        ),
    },
  });
  dev = await startDevServer(project, {
    databaseUrl: database.url,
    env: { DISABLE_MEDUSA_ADMIN: 'true' },
  });
});

afterAll(async () => {
  try {
    await dev?.stop();
  } finally {
    project.dispose();
    await database.drop();
  }
});

/** Asks over a connection of its own, which stays open. */
async function ask(path: string): Promise<unknown> {
  const agent = new Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    httpGet(dev.url(path), { agent }, (response) => {
      text(response).then((body) => resolve(JSON.parse(body)), reject);
    }).once('error', reject);
  });
}

function order(): string[] {
  return project.read(LOG).trim().split('\n');
}

/** Begins a request that runs until the app is to make way. */
async function beginLongRequest(): Promise<{ answer: Promise<unknown> }> {
  await ask('/long?idle=1');
  const answer = ask('/long');
  await until(order, (lines) => lines.at(-1)?.endsWith(' asked') ?? false);
  return { answer };
}

const FAREWELL = ['asked', 'answered', 'disposed', 'hook: prepare', 'hook: end'];

test('a restart lets requests finish, then disposes, then ends the modules, and only then starts the next', async () => {
  const old = dev.childPid;
  const long = await beginLongRequest();
  const update = await dev.nextUpdate('.env', () => project.write('.env', 'A=1\n'));
  expect(update.result).toBe('restarted');
  expect(await long.answer).toBe(old);
  const next = await ask('/long?idle=1');
  expect(next).not.toBe(old);
  expect(order()).toEqual([
    `${old} hook: start`,
    ...FAREWELL.map((line) => `${old} ${line}`),
    `${next} hook: start`,
  ]);
});

test('the end of the host does the same', async () => {
  const last = await ask('/long?idle=1');
  const before = order().length;
  const long = await beginLongRequest();
  dev.signal('SIGTERM');
  expect(await long.answer).toBe(last);
  // A second signal would mean: at once.
  await until(
    () => dev.hasEnded,
    (hasEnded) => hasEnded,
  );
  await dev.stop();
  expect(order().slice(before)).toEqual(FAREWELL.map((line) => `${last} ${line}`));
});
