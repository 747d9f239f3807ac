import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { toPosix } from '../../src/shared/paths.ts';
import { CliRun } from './support/cli.ts';
import { LAUNCHER, MEDUSA_OPTIONS } from './support/launcher.ts';
import { MEDUSA_VERSION } from './support/other-medusa.ts';
import { REPOSITORY } from './support/repository.ts';
import { useShop } from './support/shop.ts';

const EXAMPLES = join(REPOSITORY, 'examples/rules');
const PLUGIN = 'vite-plugin-texts/';
const CONFIG = 'vite.config.mts';
/** Of a user, before all others. */
const FAILING = `{
        name: 'failing',
        match({ path }) {
          if (path === 'src/odd.txt' && readFileSync(path, 'utf8').includes('explosive')) {
            throw new Error('it went off');
          }
          return false;
        },
        action: 'ignore',
      },`;
/** What has nothing to do with the launcher, or the Medusa. */
const isPlain = LAUNCHER === 'cli' && !MEDUSA_VERSION;

const shop = useShop({
  // A folder above the project, for a package that is not the repository's.
  under: 'apps',
  files: {
    // Vite would prefer it to that of the example.
    'vite.config.ts': undefined,
    ...Object.fromEntries(exampleFiles().map(({ path, text }) => [path, text])),
  },
  // `tsc` would read them while they are written.
  ...(isPlain && { args: ['--no-types'] }),
});

test.runIf(isPlain)('the examples are what TypeScript takes in a Medusa project', async () => {
  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', shop.project.root]).catch(
    ({ stdout }: { stdout: string }) => expect.fail(stdout),
  );
});

test('none of the rules is complained about', () => {
  expect(shop.dev.output()).not.toContain('rule `');
});

test.runIf(isPlain).each([
  ['src/graphql/schema.graphql', 'restart', 'graphql'],
  ['src/generated/countries.ts', 'ignore', 'generated'],
  ['src/notices/welcome.ts', 'reload', 'notices'],
  ['src/texts/imprint.md', 'reload', 'texts'],
])('`explain %s` says what the tests below show', async (file, result, name) => {
  const run = new CliRun(['explain', file, '--json'], { cwd: shop.project.root });
  const { stdout } = await run.ends();
  expect(JSON.parse(stdout)).toMatchObject({ file, result, rule: { name }, problems: [] });
});

test('a GraphQL schema restarts', async () => {
  const schema = 'src/graphql/schema.graphql';
  await shop.answers('/graphql', ['brands']);
  const update = await shop.dev.nextUpdate(schema, () =>
    shop.project.edit(schema, (text) => text.replace('[Brand!]!', '[Brand!]!\n  shelves: [Int!]')),
  );
  expect(update).toMatchObject({ result: 'restarted', reason: `${schema} changed` });
  await shop.answers('/graphql', ['brands', 'shelves']);
});

test('generated files are ignored, though the app has loaded them', async () => {
  const countries = 'src/generated/countries.ts';
  await shop.answers('/countries', ['dk', 'fr']);
  const update = await shop.dev.nextUpdate(countries, () =>
    shop.project.edit(countries, (text) => text.replace("'fr'", "'fr', 'se'")),
  );
  expect(update).toMatchObject({
    result: 'ignored',
    reason: 'ignored by the rule `generated`',
  });
  await shop.answers('/countries', ['dk', 'fr']);
});

describe('a resource kind of the project’s own', () => {
  const welcome = 'src/notices/welcome.ts';
  const closing = 'src/notices/closing.ts';

  test('is reloaded in place when a file is edited', async () => {
    await shop.answers('/notices', { closing: 'We close at six.', welcome: 'Welcome, you!' });
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(welcome, () =>
      shop.project.edit(welcome, (text) => text.replace('Welcome', 'Good to see you')),
    );
    expect(update).toMatchObject({ result: 'reloaded' });
    expect(update).toHaveProperty('resources', expect.arrayContaining(['notice welcome']));
    await shop.answers('/notices', {
      closing: 'We close at six.',
      welcome: 'Good to see you, you!',
    });
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('is reloaded in place when files come and go', async () => {
    await shop.answers('/notices', { closing: 'We close at six.', welcome: 'Welcome, you!' });
    const { pid } = await shop.stats();
    await shop.dev.nextUpdate('src/notices/sale.ts', () =>
      shop.project.write('src/notices/sale.ts', "export default { text: () => 'Sale!' };\n"),
    );
    await shop.dev.nextUpdate(closing, () => shop.project.remove(closing));
    await shop.answers('/notices', { sale: 'Sale!', welcome: 'Welcome, you!' });
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('keeps the previous version of a file that is not one', async () => {
    await shop.answers('/notices', { closing: 'We close at six.', welcome: 'Welcome, you!' });
    const update = await shop.dev.nextUpdate(welcome, () =>
      shop.project.write(welcome, 'export default {};\n'),
    );
    expect(update).toMatchObject({
      result: 'kept-previous',
      error: { message: `${welcome} has no default export with a text()` },
    });
    await shop.answers('/notices', { closing: 'We close at six.', welcome: 'Welcome, you!' });
  });
});

describe('a third-party Vite plugin that brings a rule', () => {
  const imprint = 'src/texts/imprint.md';

  test('reloads what it is for', async () => {
    await shop.answers('/texts', { imprint: 'Imprint' });
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(imprint, () =>
      shop.project.edit(imprint, (text) => text.replace('# Imprint', '# Who we are')),
    );
    expect(update).toMatchObject({ result: 'reloaded', resources: ['text imprint'], modules: 0 });
    await shop.answers('/texts', { imprint: 'Who we are' });
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('keeps the previous version when it refuses the new one', async () => {
    const update = await shop.dev.nextUpdate(imprint, () =>
      shop.project.edit(imprint, (text) => text.replace('# Imprint', '')),
    );
    expect(update).toMatchObject({
      result: 'kept-previous',
      error: { message: `${imprint} has no title` },
    });
    await shop.answers('/texts', { imprint: 'Imprint' });
  });
});

test('a rule that fails keeps the previous version, and the others go on', async () => {
  const odd = 'src/odd.txt';
  const update = await shop.dev.nextUpdate(odd, () => shop.project.write(odd, 'explosive'));
  expect(update).toMatchObject({
    result: 'kept-previous',
    error: {
      message: `The rule \`failing\` of vite.config failed when it was asked about \`${odd}\`: it went off.`,
    },
  });
  await shop.answers('/texts', { imprint: 'Imprint' });
  await shop.dev.nextUpdate(odd, () => shop.project.write(odd, 'harmless'));
  const imprint = 'src/texts/imprint.md';
  await shop.dev.nextUpdate(imprint, () =>
    shop.project.edit(imprint, (text) => text.replace('# Imprint', '# After it')),
  );
  await shop.answers('/texts', { imprint: 'After it' });
});

function exampleFiles(): { path: string; text: string }[] {
  return readdirSync(EXAMPLES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = toPosix(file.slice(EXAMPLES.length + 1));
      const text = readFileSync(file, 'utf8');
      if (path === CONFIG) {
        return { path, text: configOf(text) };
      }
      return { path: path.startsWith(PLUGIN) ? `../node_modules/${path}` : path, text };
    })
    .filter(({ path }) => path !== 'README.md');
}

function configOf(example: string): string {
  const withOptions = example.replace('rules: [', `${MEDUSA_OPTIONS} rules: [${FAILING}`);
  return `import { readFileSync } from 'node:fs';\n${withOptions}`;
}
