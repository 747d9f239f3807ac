import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { type DevServer, startDevServer } from './support/dev-server.ts';
import { createProject, type Project } from './support/project.ts';
import { SHOP } from './support/repository.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const JOB = 'src/jobs/tick.ts';

let database: TestDatabase;
let project: Project;
let dev: DevServer;

beforeAll(async () => {
  database = await createDatabase();
  project = createProject({
    files: {
      'medusa-config.ts': readFileSync(join(SHOP, 'medusa-config.ts'), 'utf8').replace(
        'databaseUrl:',
        "workerMode: 'worker',\n    databaseUrl:",
      ),
      [JOB]: `
import { mkdirSync, writeFileSync } from 'node:fs';
export default async () => {
  mkdirSync('static', { recursive: true });
  writeFileSync('static/tick', 'one');
};
export const config = { name: 'tick', schedule: { interval: 100 } };
`,
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

// Caused by a route that could not be reloaded where Medusa had loaded none, and was part of every later save.
test('an app that has no API takes saves of routes, and its jobs reload', async () => {
  const ticked = join(project.root, 'static/tick');
  await until(() => existsSync(ticked), Boolean);
  const route = await dev.nextUpdate(PING, () =>
    project.edit(PING, (source) => source.replace('pong', 'for nobody')),
  );
  expect(route.result).toBe('reloaded');
  const job = await dev.nextUpdate(JOB, () =>
    project.edit(JOB, (source) => source.replace("'one'", "'second'")),
  );
  expect(job).toMatchObject({ result: 'reloaded', resources: ['job tick'] });
  await until(
    () => readFileSync(ticked, 'utf8'),
    (text) => text === 'second',
  );
  expect(dev.events.filter(({ event }) => event === 'ready')).toHaveLength(1);
});
