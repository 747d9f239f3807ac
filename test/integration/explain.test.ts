import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliEnd, CliRun } from '../e2e/support/cli.ts';
import { createProject, type Project } from '../e2e/support/project.ts';

/** Vite has to start and to transform a project: 2 s, more where the machine does other things. */
const LIMIT_MS = 60_000;

const VITE_CONFIG = `
import { medusa } from 'medusa-vite';
export default {
  plugins: [
    medusa({
      rules: [
        { name: 'graphql', match: 'src/graphql/**', action: 'restart' },
        { name: 'notices', match: 'src/notices/*', action: { reloader: './reloaders/notices.ts' } },
        { name: 'typo', match: 'src/typo/**', action: 'rotues' },
        { name: 'own ping', match: 'src/api/ping/**', action: 'ignore' },
        { name: 'fails', match: ({ path }) => path.includes('fails') && oops, action: 'ignore' },
      ],
    }),
    {
      name: 'vite-plugin-ping',
      api: { medusaVite: { rules: [{ name: 'ping', match: /ping/, action: 'restart' }] } },
    },
  ],
};
`;

let project: Project;

beforeAll(() => {
  project = createProject({
    files: {
      'vite.config.mts': VITE_CONFIG,
      'src/graphql/schema.ts': 'export const schema = 1;\n',
      'src/notices/welcome.md': 'Welcome\n',
      'src/fails.ts': 'export {};\n',
      'src/lib/native.cjs': 'exports.answer = 1;\n',
      'src/api/graphql/route.ts':
        "import '../../graphql/schema';\nimport '../../lib/native.cjs';\nexport const GET = () => {};\n",
      'src/api/computed/route.ts':
        'export const GET = async (req: { query: { path: string } }) => import(req.query.path);\n',
      'src/api/required/route.ts':
        "const { a } = require('../../lib/native.cjs');\nexport const GET = () => a;\n",
      'src/api/accepting/route.ts':
        'export const GET = () => {};\nimport.meta.hot?.accept(() => {});\n',
      'src/api/unfinished/route.ts': 'export const GET = (;\n',
      'dist/built.js': '',
    },
  });
});

afterAll(() => project.dispose());

const run = (...args: string[]): Promise<CliEnd> =>
  new CliRun(['explain', ...args], { cwd: project.root, env: { DATABASE_URL: '' } }).ends();

async function text(file: string): Promise<string> {
  const { code, stdout, stderr, survivors } = await run(file);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(survivors).toEqual([]);
  return stdout;
}

async function json(file: string): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(file, '--json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('`medusa-vite explain`', { timeout: LIMIT_MS }, () => {
  test('prints each rule with the chain of imports that leads to it', async () => {
    const printed = await text('src/lib/words.ts');
    expect(printed).toContain('src/lib/words.ts: reloads in place\n');
    expect(printed).toContain(
      [
        '  reloader routes, by the built-in rule `route`',
        '    src/lib/words.ts -> src/lib/salutation.ts -> src/lib/greeting.ts -> src/api/greeting/route.ts',
      ].join('\n'),
    );
  });

  test('names the rules that match, but come too late, in their order', async () => {
    const printed = await text('src/api/ping/route.ts');
    expect(printed).toContain(
      [
        'src/api/ping/route.ts: is ignored: ignored by the rule `own ping`',
        '',
        '  ignore, by the rule `own ping` of vite.config',
        '    src/api/ping/route.ts',
        '      matches too, but comes later: restart, by the rule `ping` of the plugin `vite-plugin-ping`',
        '      matches too, but comes later: reloader routes, by the built-in rule `route`',
      ].join('\n'),
    );
  });

  test('prints each file once, whichever way the change gets there', async () => {
    const printed = await text('src/lib/journal.ts');
    const workflow = /-> src\/workflows\/create-brand\/workflow\.ts$/gm;
    expect(printed.match(workflow)).toHaveLength(1);
  });

  test('says what restarts, and why', async () => {
    expect(await text('src/graphql/schema.ts')).toContain(
      'src/graphql/schema.ts: restarts the app: src/graphql/schema.ts changed\n',
    );
    expect(await text('src/lib/native.cjs')).toContain('Node has loaded it natively');
    expect(await text('.env.template')).toContain('.env.template: is ignored: not loaded');
  });

  test('names what keeps a reload from being one', async () => {
    const printed = await text('src/modules/brand/service.ts');
    expect(printed).toContain('src/modules/brand/service.ts: reloads in place\n');
    expect(printed).toContain(
      [
        '  restart, by the built-in rule `link`, but only if what is imported there turns out different',
        '    src/modules/brand/service.ts -> src/modules/brand/index.ts -> src/links/product-brand.ts',
      ].join('\n'),
    );
  });

  test('names the reloader of a rule', async () => {
    expect(await text('src/notices/welcome.md')).toContain(
      'reloader reloaders/notices.ts, by the rule `notices` of vite.config',
    );
  });

  test('says what is wrong with rules, and what only the running app knows', async () => {
    const printed = await text('src/graphql/schema.ts');
    expect(printed).toContain('The rule `typo` of vite.config has the unknown action `rotues`');
    expect(printed).toContain('src/api/computed/route.ts imports a computed path');
    expect(printed).toContain('src/api/required/route.ts calls require()');
    expect(printed).toContain('src/api/accepting/route.ts may take updates');
    expect(printed).toContain('src/api/unfinished/route.ts cannot be read');
    expect(await json('src/graphql/schema.ts')).toHaveProperty('limits', [
      expect.objectContaining({ path: 'src/api/accepting/route.ts' }),
      expect.objectContaining({ path: 'src/api/computed/route.ts' }),
      expect.objectContaining({ path: 'src/api/required/route.ts' }),
      expect.objectContaining({ path: 'src/api/unfinished/route.ts' }),
    ]);
  });

  test('prints JSON', async () => {
    expect(await json('src/lib/words.ts')).toMatchObject({
      file: 'src/lib/words.ts',
      result: 'reload',
      reloads: expect.arrayContaining([
        {
          reloader: 'routes',
          files: expect.arrayContaining([{ path: 'src/api/greeting/route.ts', change: 'update' }]),
        },
      ]),
      problems: [expect.stringContaining('`rotues`')],
    });
    expect(await json('src/graphql/schema.ts')).toMatchObject({
      result: 'restart',
      rule: { name: 'graphql', from: 'vite.config', action: 'restart' },
      chain: ['src/graphql/schema.ts'],
    });
  });

  test('takes an absolute path, and says which folders are not watched', async () => {
    expect(await json(join(project.root, 'dist/built.js'))).toMatchObject({
      result: 'ignore',
      reason: 'nothing below `dist` is watched',
    });
  });

  test.each([
    [['src/nowhere.ts'], '`src/nowhere.ts` does not exist. Give the path of a file'],
    [['src/api'], '`src/api` is a folder. Give the path of a file in it.'],
    [['/etc/hosts'], '`/etc/hosts` is not a file of the project in'],
    [[], 'No file was given. Usage: medusa-vite explain <file> [--json].'],
    [['a.ts', 'b.ts'], '`b.ts` is one file too many. Usage'],
    [['--port', '1'], '`--port` is not an option of `explain`. Usage'],
    [
      ['src/fails.ts'],
      'The rule `fails` of vite.config failed when it was asked about `src/fails.ts`: oops is not defined.',
    ],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect(stderr).toContain(`medusa-vite: ${message}`);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  test('a Vite config that is wrong is said', async () => {
    const config = project.read('vite.config.mts');
    project.write('vite.config.mts', 'export default {{;\n');
    const { code, stderr } = await run('src/lib/words.ts');
    project.write('vite.config.mts', config);
    expect(stderr).toContain('medusa-vite: Vite cannot start: ');
    expect(stderr).toContain('vite.config.mts:1:');
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(1);
  });

  test('in a folder that is no project is refused', async () => {
    const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite ü ')));
    mkdirSync(join(cwd, 'src'));
    writeFileSync(join(cwd, 'src/a.ts'), '');
    const { code, stderr } = await new CliRun(['explain', 'src/a.ts'], { cwd }).ends();
    rmSync(cwd, { recursive: true });
    expect(stderr).toContain(`\`${cwd}\` is not a Medusa project`);
    expect(code).toBe(1);
  });

  test('prints its help', async () => {
    const { code, stdout } = await run('--help');
    expect(stdout).toContain('Usage: medusa-vite explain <file> [--json]');
    expect(code).toBe(0);
  });
});
