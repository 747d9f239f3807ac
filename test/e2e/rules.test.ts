import { describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';
import { touch } from './support/touch.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
const CONFIG = 'vite.config.mts';
const KIND = 'src/kinds/a.kind';

const shop = useShop({
  files: {
    [CONFIG]: `
import { builtInRules, medusa } from 'medusa-vite';

const own = (name: string) => ({
  name,
  match: \`src/\${name}/*\`,
  action: { reloader: \`./reloaders/\${name}.ts\` },
});

const rules = [
  { name: 'typo', match: 'src/typo/*', action: 'rotues' },
  { match: 'src/nameless/*', action: 'ignore' },
  { name: 'no match', action: 'restart' },
  { name: 'unused', match: ['src/api/**/nothing.ts', 'src/nothing-here/**'], action: 'ignore' },
  {
    name: 'failing',
    match({ path }) {
      if (path.includes('explosive')) throw new Error('it went off');
      return false;
    },
    action: 'ignore',
  },
  own('missing'),
  own('broken'),
  own('shapeless'),
  own('kinds'),
  own('late'),
  { name: 'too late', match: 'src/kinds/*', action: 'ignore' },
];

export default {
  plugins: [
    medusa({
      rules: rules as never,
      builtInRules: builtInRules.map((rule) =>
        rule.name === 'migration' ? { ...rule, action: 'restart' } : rule,
      ),
    }),
    { name: 'vite-plugin-listless', api: { medusaVite: { rules: 'none' } } },
  ],
};
`,
    'reloaders/broken.ts': `
export {};
throw new Error('broken at its top');
`,
    'reloaders/shapeless.ts': 'export default { reload() {} };\n',
    'reloaders/version.ts': 'export const version = 1;\n',
    'reloaders/kinds.ts': `
import { readFileSync } from 'node:fs';
import { asValue } from '@medusajs/framework/awilix';
import { defineReloader } from 'medusa-vite/reloader';
import { version } from './version';

const log: unknown[] = [];

export default defineReloader({
  start({ container, express }) {
    log.push(\`started \${version}\`);
    container.register('kindsLog', asValue(log));
    express.get('/by-the-reloader', (_req, res) => {
      res.json({ by: 'the reloader' });
    });
  },
  async prepare({ files, modules }, { importFile, needRestart }) {
    const [{ path, change }] = files;
    log.push(\`prepare \${files.map((file) => \`\${file.change} \${file.path}\`)}\`);
    if (path.endsWith('.ts')) {
      const { value } = await importFile<{ value: number }>(path);
      log.push({
        value,
        modules: modules.map((module) => [
          module.path,
          module.exports?.value,
          module.previous?.value,
        ]),
      });
    }
    const text = change === 'delete' || path.endsWith('.ts') ? '' : readFileSync(path, 'utf8').trim();
    if (text === 'prepare fails') throw new Error('no good kind');
    if (text === 'needs a restart') needRestart('this kind wants it');
    if (text === 'prepares nothing') return undefined as never;
    return {
      resources: ['kind'],
      commit() {
        if (text === 'commit fails') throw new Error('half-way');
        if (text === 'commit waits') return Promise.resolve() as never;
        log.push('commit');
      },
      rollback() {
        log.push('rollback');
        if (text === 'rollback fails') throw new Error('cannot go back');
      },
      dispose() {
        log.push('dispose');
        if (text === 'dispose fails') throw new Error('cannot clean up');
      },
    };
  },
});
`,
    'reloaders/late.ts': `
import { readFileSync } from 'node:fs';
import { defineReloader } from 'medusa-vite/reloader';

export default defineReloader({
  prepare({ files }) {
    if (readFileSync(files[0].path, 'utf8').includes('fails')) throw new Error('too late');
    return { commit() {} };
  },
});
`,
    'src/api/kinds/route.ts': `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';

export const GET = (req: MedusaRequest, res: MedusaResponse) => {
  res.json(req.scope.resolve<unknown[]>('kindsLog').splice(0));
};
`,
    [KIND]: 'fine\n',
    'src/kinds/typed.ts': 'export const value = 1;\n',
    'src/late/a.kind': 'fine\n',
    ...Object.fromEntries(
      ['typo', 'nameless', 'missing', 'broken', 'shapeless'].map((name) => [
        `src/${name}/a.kind`,
        'fine\n',
      ]),
    ),
  },
});

const save = (file: string, text: string) =>
  shop.dev.nextUpdate(file, () => shop.project.write(file, `${text}\n`));

const log = async () => (await shop.dev.get('/kinds')).body;

async function expectSameProcess(act: () => Promise<void>): Promise<void> {
  const { pid } = await shop.stats();
  await act();
  expect((await shop.stats()).pid).toBe(pid);
}

describe('what is wrong is told at the start, and the app starts:', () => {
  test.each([
    ['an unknown reloader', 'The rule `typo` of vite.config has the unknown action `rotues`'],
    ['no name', 'The rule `#2` of vite.config has no `name`'],
    ['no match', 'The rule `no match` of vite.config is left out: it has no `match`'],
    [
      'a glob without files',
      'No file of the project matches `src/nothing-here/**`, a glob of the rule `unused` of vite.config.',
    ],
    [
      'two rules for one file',
      'is matched by the rule `kinds` of vite.config and the rule `too late` of vite.config: the first of them decides.',
    ],
    ['rules that are no list', 'The rules of the plugin `vite-plugin-listless` are not a list'],
    [
      'a missing reloader',
      'The reloader `reloaders/missing.ts`, named by the rule `missing` of vite.config, cannot be used:',
    ],
    ['a reloader that throws', '`broken` of vite.config, cannot be used: broken at its top.'],
    ['where it throws', 'reloaders/broken.ts:3:7'],
    [
      'a reloader without prepare',
      '`shapeless` of vite.config, cannot be used: its default export',
    ],
  ])('%s', (_what, message) => {
    expect(shop.dev.output().split(message)).toHaveLength(2);
  });
});

test('what a rule cannot do, a restart does in its place', async () => {
  for (const name of ['typo', 'missing', 'broken', 'shapeless']) {
    const update = await save(`src/${name}/a.kind`, 'other than before');
    expect(update, name).toMatchObject({ result: 'restarted' });
  }
}, 240_000);

test('a rule without a name decides', async () => {
  expect(await save('src/nameless/a.kind', 'other than before')).toMatchObject({
    result: 'ignored',
    reason: 'ignored by the rule `#2`',
  });
});

test('a rule that fails keeps the previous version, until it is mended', async () => {
  await expectSameProcess(async () => {
    expect(await save('src/explosive.txt', 'text')).toMatchObject({
      result: 'kept-previous',
      error: {
        message:
          'The rule `failing` of vite.config failed when it was asked about `src/explosive.txt`: it went off.',
        hint: 'Correct its `match`.',
      },
    });
    const update = await shop.dev.nextUpdate(PING, () =>
      shop.project.edit(PING, (source) => source.replace("'pong'", "'mended'")),
    );
    expect(update).toMatchObject({ result: 'kept-previous' });
    await shop.answers('/ping', { ping: 'pong' });
  });
  const mended = await shop.dev.nextUpdate(CONFIG, () =>
    shop.project.edit(CONFIG, (source) => source.replace('explosive', 'harmless')),
  );
  expect(mended).toMatchObject({ result: 'restarted' });
  await shop.answers('/ping', { ping: 'mended' });
  // While nothing fails at it: a deletion, too, would have to wait for the rule to be mended.
  await shop.dev.nextUpdate('src/explosive.txt', () => shop.project.remove('src/explosive.txt'));
});

test('a built-in rule that was replaced is asked no more', async () => {
  const migration = 'src/modules/brand/migrations/Migration20261121110742.ts';
  const update = await shop.dev.nextUpdate(migration, () => shop.project.edit(migration, touch));
  expect(update).toMatchObject({ result: 'restarted', reason: `${migration} changed` });
});

describe('a reloader', () => {
  test('starts with the app, and has its container and Express', async () => {
    await shop.dev.nextUpdate('.env', () => shop.project.write('.env', 'A=1\n'));
    expect(await log()).toEqual(['started 1']);
    await shop.answers('/by-the-reloader', { by: 'the reloader' });
  });

  test('prepares, commits and disposes, in this order; the first rule decides', async () => {
    await log();
    await expectSameProcess(async () => {
      expect(await save(KIND, 'other')).toMatchObject({ result: 'reloaded', resources: ['kind'] });
      expect(await log()).toEqual([`prepare update ${KIND}`, 'commit', 'dispose']);
      await save('src/kinds/b.kind', 'new');
      await shop.dev.nextUpdate('src/kinds/b.kind', () => shop.project.remove('src/kinds/b.kind'));
      expect(await log()).toEqual(
        ['create', 'delete'].flatMap((change) => [
          `prepare ${change} src/kinds/b.kind`,
          'commit',
          'dispose',
        ]),
      );
    });
  });

  test('sees the new and the previous exports of what is affected', async () => {
    const typed = 'src/kinds/typed.ts';
    await log();
    await expectSameProcess(async () => {
      await save(typed, 'export const value = 22;');
      await save(typed, 'export const value = 333;');
      expect(await log()).toEqual([
        `prepare update ${typed}`,
        { value: 22, modules: [] },
        'commit',
        'dispose',
        `prepare update ${typed}`,
        { value: 333, modules: [[typed, 333, 22]] },
        'commit',
        'dispose',
      ]);
    });
  });

  test('whose file does not compile keeps the previous version, and is not asked', async () => {
    const typed = 'src/kinds/typed.ts';
    await log();
    await expectSameProcess(async () => {
      expect(await save(typed, 'export const value = ;')).toMatchObject({
        result: 'kept-previous',
        error: { file: typed, line: 1 },
      });
      expect(await log()).toEqual([]);
    });
  });

  test('is rolled back when another part of the save fails', async () => {
    await log();
    await expectSameProcess(async () => {
      // What was refused is part of the next save.
      const tooLate = { result: 'kept-previous', error: { message: 'too late' } };
      expect(await save('src/late/a.kind', 'it fails')).toMatchObject(tooLate);
      expect(await log()).toEqual([]);
      expect(await save(KIND, 'rollback fails')).toMatchObject(tooLate);
      expect(await log()).toEqual([`prepare update ${KIND}`, 'rollback']);
    });
  });

  test.each([
    ['prepare fails', 'no good kind'],
    ['prepares nothing', '`prepare` of the reloader `reloaders/kinds.ts` has to return an object.'],
  ])('that %s keeps the previous version', async (text, message) => {
    await expectSameProcess(async () => {
      expect(await save(KIND, text)).toMatchObject({
        result: 'kept-previous',
        error: { message },
      });
    });
  });

  test.each([
    ['needs a restart', 'this kind wants it'],
    ['commit fails', 'the reload failed half-way: the reloader reloaders/kinds.ts: half-way'],
    [
      'commit waits',
      'the reload failed half-way: `commit` of the reloader reloaders/kinds.ts is asynchronous',
    ],
  ])('that %s restarts', async (text, reason) => {
    expect(await save(KIND, text)).toMatchObject({ result: 'restarted', reason });
  });

  test('that cannot clean up has reloaded all the same', async () => {
    await expectSameProcess(async () => {
      expect(await save(KIND, 'dispose fails')).toMatchObject({ result: 'reloaded' });
      await until(
        () => shop.dev.output(),
        (output) => output.includes('cannot clean up'),
      );
    });
  });

  test.each(['reloaders/kinds.ts', 'reloaders/version.ts'])('restarts with %s', async (file) => {
    await shop.dev.nextUpdate(file, () =>
      shop.project.edit(file, (source) =>
        source.replace('version = 1', 'version = 22').replace('started', 'started as'),
      ),
    );
    await shop.answers('/kinds', [file.includes('version') ? 'started 22' : 'started as 1']);
  });

  test('that was missing or broken is used once it is there', async () => {
    const good = 'export default { prepare: () => ({ commit() {} }) };';
    expect(await save('reloaders/missing.ts', good)).toMatchObject({ result: 'restarted' });
    await expectSameProcess(async () => {
      expect(await save('src/missing/a.kind', 'other than before')).toMatchObject({
        result: 'reloaded',
        resources: ['src/missing/a.kind'],
      });
    });
  });
});
