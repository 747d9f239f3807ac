import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type CliEnd, type CliOptions, CliRun } from './support/cli.ts';
import { commandOf, filesOf, LAUNCHER } from './support/launcher.ts';
import { freePort, portOf } from './support/ports.ts';
import { createProject, type Project } from './support/project.ts';
import { REPOSITORY } from './support/repository.ts';
import { until } from './support/until.ts';

/** What is passed as arguments or as options, by the launcher. */
const OPTIONS_ENV = 'SERVE_OPTIONS';
const OPTIONS = `JSON.parse(process.env.${OPTIONS_ENV} ?? '{}')`;

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('a folder that is not a Medusa project', () => {
  test('without package.json is named', async () => {
    const cwd = folder({});
    expect(await complaint({ cwd })).toContain(`\`${cwd}\` is not a Medusa project`);
  });

  test('without medusa-config is named', async () => {
    const cwd = folder({ 'package.json': '{}' });
    const message = await complaint({ cwd });
    expect(message).toContain(`\`${cwd}\``);
    expect(message).toContain('medusa-config');
  });

  // By the other ways Vite itself comes first, and cannot load its own config.
  test.runIf(LAUNCHER === 'cli')('whose path Vite cannot take is named', async () => {
    const cwd = join(folder({ 'shop #1/package.json': '{}' }), 'shop #1');
    expect(await complaint({ cwd })).toContain(`\`${cwd}\` has a \`#\` in its path`);
  });
});

describe('a Medusa', () => {
  test('that is not installed is asked for', async () => {
    const cwd = folder({ 'package.json': '{}', 'medusa-config.ts': '' });
    expect(await complaint({ cwd })).toMatch(
      /`@medusajs\/medusa` is not installed [\s\S]*`npm install`/,
    );
  });

  test.each(['2.11.0', '1.20.10', '3.0.0'])('%s is not supported', async (version) => {
    const cwd = folder({
      'package.json': '{}',
      'medusa-config.ts': '',
      'node_modules/@medusajs/medusa/package.json': JSON.stringify({ version }),
    });
    expect(await complaint({ cwd })).toMatch(
      new RegExp(`Medusa ${version.replaceAll('.', '\\.')} is not supported: .*2\\.12\\.1`),
    );
  });

  test('whose internals are not as expected is named with the internal', async () => {
    const project = useProject();
    const internal = '@medusajs/utils/dist/common/dynamic-import.js';
    replaceInternal(project, internal, 'exports.importDynamically = () => {};');
    const message = await complaint({
      cwd: project.root,
      options: { port: 0 },
      env: { DATABASE_URL: inject('templateDatabaseUrl') },
    });
    expect(message).toMatch(/Medusa \d+\.\d+\.\d+ is not what medusa-vite expects/);
    expect(message).toContain(`\`${internal}#dynamicImport\``);
  });
});

describe('a database that does not answer', () => {
  test('is named, without its password', async () => {
    const port = await freePort();
    const message = await complaint({
      cwd: useProject().root,
      options: { port: 0 },
      env: { DATABASE_URL: `postgres://me:secret@127.0.0.1:${port}/shop` },
    });
    expect(message).toContain(`No database at \`127.0.0.1:${port}\``);
    expect(message).not.toContain('secret');
  });

  test('and is set in `.env` is named', async () => {
    const port = await freePort();
    const project = useProject();
    project.write('.env', `DATABASE_URL=postgres://127.0.0.1:${port}/shop\n`);
    const message = await complaint({ cwd: project.root, options: { port: 0 } });
    expect(message).toContain(`No database at \`127.0.0.1:${port}\``);
  });
});

describe('a database that only the config names', () => {
  test('and that does not answer is named', async () => {
    const port = await freePort();
    const project = useProject();
    project.edit('medusa-config.ts', (source) =>
      source.replace(/databaseUrl: .*/, `databaseUrl: 'postgres://127.0.0.1:${port}/shop',`),
    );
    const message = await complaint({
      cwd: project.root,
      options: { port: 0 },
      env: { DATABASE_URL: inject('templateDatabaseUrl') },
    });
    expect(message).toContain(`No database at \`127.0.0.1:${port}\``);
  });
});

describe('a port that another program listens on', () => {
  test.each([
    ['given with an option', (port: number) => ({ options: { port }, env: {} })],
    ['in the environment', (port: number) => ({ options: undefined, env: { PORT: String(port) } })],
  ])('%s is named with that program, before anything else is tried', async (_where, by) => {
    const project = useProject();
    const port = portOf(await listen());
    const database = await listen();
    let asked = 0;
    database.on('connection', (socket) => {
      asked++;
      socket.destroy();
    });
    const { options, env } = by(port);
    const bad = {
      cwd: project.root,
      ...(options && { options }),
      env: { ...env, DATABASE_URL: `postgres://127.0.0.1:${portOf(database)}/shop` },
    };
    // On a busy machine the program is not found in time.
    const owner = `Port \`${port}\` is in use by process ${process.pid} (`;
    const message = await until(
      () => complaint(bad),
      (text) => text.includes(owner),
    );
    expect(message).toContain('-p');
    expect(asked).toBe(0);
  });
});

// No other launcher has arguments of ours.
describe.runIf(LAUNCHER === 'cli')('arguments', () => {
  test.each([
    [['--prot', '9000'], '`--prot` is not an option. Did you mean `--port`?'],
    [['--nonsense'], '`--nonsense` is not an option.'],
    [['--max-old-space-size=4096'], '`medusa-vite dev -- --max-old-space-size`'],
    [['-p', 'http'], '`http` is not a port (`-p`)'],
    [['-p', '65536'], '`65536` is not a port (`-p`)'],
    [['--port='], '`--port` got an empty value'],
    [['--poll=often'], '`often` is not an interval (`--poll`)'],
    [['extra'], '`extra` is one word too many'],
  ])('%j are refused', async (args, expected) => {
    const cwd = folder({});
    expect(soleComplaint(await new CliRun(['dev', ...args], { cwd }).ends())).toContain(expected);
  });

  test('that name no command of ours are refused', async () => {
    const end = await new CliRun(['build'], { cwd: folder({}) }).ends();
    expect(soleComplaint(end)).toContain('`build` is not a command');
  });
});

describe('options', () => {
  test('a PORT that is none is refused', async () => {
    const message = await complaint({ cwd: useProject().root, env: { PORT: 'http' } });
    expect(message).toContain('`http` is not a port (`PORT`)');
  });

  test('a host that is none of this machine is refused', async () => {
    const message = await complaint({
      cwd: useProject().root,
      options: { port: 0, host: '192.0.2.1' },
    });
    expect(message).toContain('This machine has no address `192.0.2.1`');
  });
});

interface BadRun extends Pick<CliOptions, 'cwd' | 'env'> {
  options?: { port?: number; host?: string };
}

function run({ cwd, options = {}, env = {} }: BadRun): CliRun {
  if (LAUNCHER === 'cli') {
    const { port, host } = options;
    const args = [
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(host === undefined ? [] : ['-H', host]),
    ];
    return new CliRun(['dev', ...args], { cwd, env });
  }
  const [cli, ...args] = commandOf(LAUNCHER, { root: cwd, args: [] }).args;
  return new CliRun(args, {
    cwd,
    env: {
      [OPTIONS_ENV]: JSON.stringify(options),
      // What Vite thinks of the config is not said by us.
      VITE_CONFIG_NATIVE_IGNORE_WARNING: 'true',
      ...env,
    },
    ...(cli && { cli }),
  });
}

async function complaint(bad: BadRun): Promise<string> {
  const bound = run(bad);
  return LAUNCHER === 'vite' ? complaintBeside(bound) : soleComplaint(await bound.ends());
}

/** The front end goes on without a backend, and ends as ever. */
async function complaintBeside(bound: CliRun): Promise<string> {
  await until(
    () => bound.output,
    (output) => /the front end goes on.*\n.+\n/.test(output) && output.includes('Local:'),
  );
  const { output } = bound;
  expect(output).not.toContain('    at ');
  await bound.stop();
  return output;
}

/** One message for a person is all there is: no stack trace, no success, nothing left running. */
function soleComplaint({ code, stdout, stderr, survivors }: CliEnd): string {
  expect(stderr).toMatch(/^medusa-vite: .+\n$/);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  expect(survivors).toEqual([]);
  return stderr;
}

function folder(files: Record<string, string>): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite ü ')));
  folders.push(path);
  for (const [name, text] of Object.entries({ ...filesOfWay(), ...files })) {
    mkdirSync(join(path, dirname(name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  if (LAUNCHER !== 'cli') {
    // These launchers are installed, whatever else is missing.
    mkdirSync(join(path, 'node_modules'), { recursive: true });
    for (const name of ['medusa-vite', 'vite', 'vite-node']) {
      const target = realpathSync(join(REPOSITORY, 'node_modules', name));
      symlinkSync(target, join(path, 'node_modules', name), 'junction');
    }
  }
  return path;
}

/** As in every test, but with options that a test gives. */
function filesOfWay(): Record<string, string> {
  const config = (plugin: string) => `
import { medusa } from 'medusa-vite';
export default { plugins: [${plugin}], server: { port: 0 } };
`;
  switch (LAUNCHER) {
    case 'cli':
      return {};
    case 'vite':
      return { ...filesOf(LAUNCHER), 'vite.config.ts': config(`medusa(${OPTIONS})`) };
    case 'vite-node':
      return {
        ...filesOf(LAUNCHER),
        'dev.ts': `
import { serve } from 'medusa-vite/vite-node';
serve(${OPTIONS});
`,
      };
  }
}

function useProject(): Project {
  const project = createProject({ files: filesOfWay() });
  onTestFinished(() => project.dispose());
  return project;
}

/** Medusa's own packages become folders with links in them, so that Node finds each beside the others. */
function replaceInternal(project: Project, internal: string, source: string): void {
  const modules = join(project.root, 'node_modules');
  const folders = ['@medusajs', ...['medusa', 'framework', 'utils'].map((n) => `@medusajs/${n}`)];
  const parts = internal.split('/');
  for (let depth = 3; depth < parts.length; depth++) {
    folders.push(parts.slice(0, depth).join('/'));
  }
  for (const name of folders) {
    const link = join(modules, name);
    const target = realpathSync(link);
    rmSync(link);
    linkEntries(target, link);
  }
  const file = join(modules, internal);
  rmSync(file);
  writeFileSync(file, source);
}

function linkEntries(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    symlinkSync(join(from, name), join(to, name), 'junction');
  }
}

async function listen(): Promise<Server> {
  const server = createServer();
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return server;
}
