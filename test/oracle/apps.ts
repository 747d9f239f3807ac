import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanEnv } from '../e2e/support/clean-env.ts';
import { type DevServer, startDevServer } from '../e2e/support/dev-server.ts';
import { createProject, type Project } from '../e2e/support/project.ts';
import { PACKAGE_FOLDER, PACKAGE_NAME } from './paths.ts';
import type { ProbeTarget } from './probe.ts';

export interface App extends ProbeTarget {
  stop(): Promise<unknown>;
}

export interface HotApp extends App {
  dev: DevServer;
}

const PACKAGE_JSON = `{ "name": "${PACKAGE_NAME}", "main": "./src/index.ts" }\n`;
const PROBE_FILE = 'src/api/oracle-probe/route.ts';

/** Makes a copy of the shop with the probe in it. */
export function createProbedProject(files: Map<string, string>): Project {
  const project = createProject({
    files: { [`${PACKAGE_FOLDER}package.json`]: PACKAGE_JSON },
    links: { [PACKAGE_NAME]: PACKAGE_FOLDER },
  });
  const source = readFileSync(join(import.meta.dirname, 'project', PROBE_FILE), 'utf8');
  for (const [file, text] of [...files, [PROBE_FILE, source] as const]) {
    put(project, file, text);
  }
  return project;
}

/** Writes or removes a file. Unlike the project's `write`, remembers nothing. */
export function put(project: Project, file: string, source: string | undefined): void {
  const path = join(project.root, file);
  if (source === undefined) {
    rmSync(path, { force: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
}

export interface AppOptions {
  databaseUrl: string;
  publishableKey: string;
  cli: string;
  env?: Record<string, string>;
}

const ENV = { DISABLE_MEDUSA_ADMIN: 'true' };

export async function startHot(project: Project, options: AppOptions): Promise<HotApp> {
  const { cli, databaseUrl, env } = options;
  const dev = await startDevServer(project, {
    cli,
    databaseUrl,
    args: ['--no-types'],
    env: { ...ENV, ...env },
  });
  const url = (path: string) => dev.url(path);
  return { dev, url, headers: await logIn(url, options), stop: () => dev.stop() };
}

/** `product` starts with our CLI, without HMR; `stock` with Medusa's own `start`, as `medusa develop` runs it. */
export type FreshKind = 'product' | 'stock';

export async function startFresh(
  kind: FreshKind,
  project: Project,
  options: AppOptions,
): Promise<App> {
  if (kind === 'stock') {
    return startStock(project, options);
  }
  const { cli, databaseUrl } = options;
  const args = ['--no-types', '--no-hmr', '--no-spare'];
  const dev = await startDevServer(project, { cli, databaseUrl, args, env: ENV });
  const url = (path: string) => dev.url(path);
  return { url, headers: await logIn(url, options), stop: () => dev.stop() };
}

const STOCK_WAIT_MS = 90_000;

async function startStock(project: Project, options: AppOptions): Promise<App> {
  const port = await freePort();
  const cli = createRequire(join(project.root, 'package.json')).resolve('@medusajs/cli/cli.js');
  const child = spawn(process.execPath, [cli, 'start', '-p', String(port)], {
    cwd: project.root,
    env: cleanEnv({ ...ENV, DATABASE_URL: options.databaseUrl, NODE_ENV: 'development' }),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const stop = () => stopGroup(child);
  const deadline = Date.now() + STOCK_WAIT_MS;
  while (!output.includes('Server is ready on port')) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`Medusa's own \`start\` failed:\n${output}`);
    }
    await delay(20);
  }
  const url = (path: string) => `http://localhost:${port}${path}`;
  return { url, headers: await logIn(url, options), stop };
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) {
    return;
  }
  const exit = once(child, 'exit');
  // Only the next fresh app reads this app's database: there is nothing to end gracefully.
  process.kill(-child.pid, 'SIGKILL');
  await exit;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return address instanceof Object ? address.port : 0;
}

async function logIn(
  url: (path: string) => string,
  { publishableKey }: AppOptions,
): Promise<Record<string, string>> {
  const response = await fetch(url('/auth/user/emailpass'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@shop.test', password: 'supersecret' }),
  });
  const { token } = (await response.json()) as { token: string };
  return { authorization: `Bearer ${token}`, 'x-publishable-api-key': publishableKey };
}
