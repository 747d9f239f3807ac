import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toPosix } from '../../src/shared/paths.ts';
import { filesOf, LAUNCHER } from './support/launcher.ts';
import { isPortTaken, isRunning } from './support/processes.ts';
import { SHOP } from './support/repository.ts';
import { useShop } from './support/shop.ts';
import { touch } from './support/touch.ts';
import { until } from './support/until.ts';

const PING = 'src/api/ping/route.ts';
/** Without one of its own, the command does without. */
const VITE_CONFIG = filesOf(LAUNCHER)['vite.config.ts'] ?? 'export default {};\n';
/** That it is noticed within 3 s is shown by the clock of `app-process.test.ts`, which nothing disturbs. */
const STANDS_STILL = 'does not answer, as in an endless loop';

/** Vite has its own ways with these, so that it matters how it was started. Of all others only the planner knows. */
const KNOWN_TO_VITE = ['tsconfig.json', 'package.json', 'package-lock.json', 'vite.config.ts'];

const shop = useShop({
  args: ['--', '--max-old-space-size=512'],
  files: {
    // Ticks are written down with the process that ran them: two at once would be seen.
    'src/jobs/tick.ts': `
import { appendFileSync, mkdirSync } from 'node:fs';
export default async () => {
  mkdirSync('static', { recursive: true });
  appendFileSync('static/ticks.log', \`\${process.pid}\\n\`);
};
export const config = { name: 'tick', schedule: '* * * * * *' };
`,
    'config/labels.json': '{ "label": "one" }',
    'medusa-config.ts': `import labels from './config/labels.json';\n${readFileSync(
      join(SHOP, 'medusa-config.ts'),
      'utf8',
    )}Object.assign(globalThis, { labels });\n`,
    // Decides what a class with a declared field compiles to.
    '../tsconfig.base.json': '{ "compilerOptions": { "useDefineForClassFields": false } }',
    'tsconfig.json': JSON.stringify({
      ...JSON.parse(readFileSync(join(SHOP, 'tsconfig.json'), 'utf8')),
      extends: '../tsconfig.base.json',
    }),
    'src/api/declared/route.ts': `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
class Base {
  constructor() { (this as any).field = 'assigned'; }
}
class Declared extends Base {
  field: unknown;
}
export const GET = (_: MedusaRequest, res: MedusaResponse) => { res.json({ field: new Declared().field ?? null }); };
`,
    'src/feature-flags/shop.ts': `
export default { key: 'shop_flag', env_key: 'SHOP_FLAG', default_val: true, description: 'Always on' };
`,
    'src/lib/native.cjs': `exports.answer = 'native';\n`,
    'src/api/native/route.ts': `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import native from '../../lib/native.cjs';
export const GET = (_: MedusaRequest, res: MedusaResponse) => { res.json(native); };
`,
    'src/api/fault/route.ts': `
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
export const GET = (req: MedusaRequest, res: MedusaResponse) => {
  switch (req.query.kind) {
    case 'throw':
      setTimeout(() => { throw new Error('thrown where nobody catches'); });
      break;
    case 'exit':
      console.error('last words');
      process.exit(7);
    case 'memory':
      for (const hoard: unknown[] = []; ; ) hoard.push(new Array(100_000).fill(hoard.length + 0.5));
    case 'loop':
      for (;;);
  }
  res.json({});
};
`,
  },
});

const edit = (file: string, change: (source: string) => string) => () =>
  shop.project.edit(file, change);

/** Does something that ends the app, and waits until the next one serves. */
async function crash(act: (pid: number) => unknown) {
  const mark = shop.dev.mark();
  const { pid } = await shop.stats();
  // What asks for it may be cut off by it.
  void Promise.resolve(act(pid)).catch(() => {});
  const exit = await shop.dev.eventSince(mark, 'exit');
  const error = await shop.dev.eventSince(mark, 'error');
  await shop.dev.eventSince(mark, 'ready');
  expect(shop.dev.childPid).not.toBe(pid);
  expect(isRunning(pid)).toBe(false);
  expect((await shop.dev.get('/ping')).status).toBe(200);
  return { exit, message: error.error.message };
}

describe('restarts the app, once, on the same port, when', () => {
  const cases: [file: string, save: () => void][] = [
    ['medusa-config.ts', edit('medusa-config.ts', touch)],
    [
      'config/brand-options.ts',
      edit('config/brand-options.ts', (source) => source.replace("'®'", "'(R)'")),
    ],
    [
      'config/labels.json',
      edit('config/labels.json', (source) => source.replace('one', 'another')),
    ],
    [
      'tsconfig.json',
      edit('tsconfig.json', (source) => source.replace('{', '{ // As `tsc --init` has them.\n')),
    ],
    ['package.json', edit('package.json', (source) => `${source}\n`)],
    ['package-lock.json', () => shop.project.write('package-lock.json', '{}\n')],
    ['vite.config.ts', () => shop.project.write('vite.config.ts', `${VITE_CONFIG}// Saved.\n`)],
    [
      'src/lib/native.cjs',
      edit('src/lib/native.cjs', (source) => source.replace("'native'", "'new native'")),
    ],
  ];
  const isTried = ([file]: (typeof cases)[number]) =>
    LAUNCHER === 'cli' || file === 'medusa-config.ts' || KNOWN_TO_VITE.includes(file);
  test.each(cases.filter(isTried))(
    '%s is saved',
    async (file, save) => {
      const { pid } = await shop.stats();
      const mark = shop.dev.mark();
      const { port } = shop.dev.ready;
      const update = await shop.dev.nextUpdate(file, save);
      expect(update).toMatchObject({ result: 'restarted', files: [file] });
      expect(update).toHaveProperty('reason', expect.stringContaining(file));
      expect(shop.dev.updatesSince(mark)).toHaveLength(1);
      expect((await shop.stats()).pid).not.toBe(pid);
      expect(isRunning(pid)).toBe(false);
      expect(shop.dev.ready.port).toBe(port);
      if (file === 'src/lib/native.cjs') {
        expect((await shop.dev.get('/native')).body).toEqual({ answer: 'new native' });
      }
    },
    120_000,
  );

  // The other launchers have a plugin there without which there is no backend.
  test.runIf(LAUNCHER === 'cli')(
    'a `vite.config.ts` is added, or deleted, and goes by what it says',
    async () => {
      const config = (word: string) => () =>
        shop.project.write(
          'vite.config.ts',
          `
const greeting = {
  name: 'greeting',
  transform: (code, id) =>
    id.endsWith('/src/api/ping/route.ts') ? code.replace('pong', '${word}') : undefined,
};
export default { plugins: [greeting] };
`,
        );
      const ping = async () => (await shop.dev.get('/ping')).body;
      const save = async (act: () => void) => {
        const update = await shop.dev.nextUpdate('vite.config.ts', act);
        expect(update).toMatchObject({ result: 'restarted', reason: 'vite.config.ts changed' });
        return ping();
      };

      expect(await save(config('ahoy'))).toEqual({ ping: 'ahoy' });
      expect(await save(config('salve'))).toEqual({ ping: 'salve' });
      expect(await save(() => shop.project.remove('vite.config.ts'))).toEqual({ ping: 'pong' });
      expect(await save(config('moin'))).toEqual({ ping: 'moin' });
      const update = await shop.dev.nextUpdate('vite.config.ts', () =>
        shop.project.write('vite.config.ts', 'export default {'),
      );
      expect(update).toMatchObject({ result: 'kept-previous' });
      expect(await ping()).toEqual({ ping: 'moin' });
    },
    240_000,
  );

  test('what its `tsconfig.json` extends is saved, outside of the project', async () => {
    const declared = async () => (await shop.dev.get('/declared')).body;
    const { pid } = await shop.stats();
    expect(await declared()).toEqual({ field: 'assigned' });
    const name = '../tsconfig.base.json';
    const file = toPosix(join(shop.project.root, name));
    const mark = shop.dev.mark();
    const update = await shop.dev.nextUpdate(
      file,
      edit(name, (source) => source.replace('false', 'true')),
    );
    expect(update).toMatchObject({ result: 'restarted', reason: `${file} changed` });
    expect(shop.dev.updatesSince(mark)).toHaveLength(1);
    expect(await declared()).toEqual({ field: null });
    expect((await shop.stats()).pid).not.toBe(pid);
    const back = await shop.dev.nextUpdate(
      file,
      edit(name, (source) => source.replace('true', 'false')),
    );
    expect(back.result).toBe('restarted');
    expect(await declared()).toEqual({ field: 'assigned' });
  });

  test('a branch switch writes 500 files', async () => {
    const { pid } = await shop.stats();
    const mark = shop.dev.mark();
    const files = Array.from({ length: 500 }, (_, index) => `src/lib/burst/file-${index}.ts`);
    for (const [index, file] of files.entries()) {
      shop.project.write(file, `export const index = ${index};\n`);
      if (index === 250) {
        shop.project.edit('medusa-config.ts', touch);
        shop.project.edit(PING, (source) => source.replace("'pong'", "'switched'"));
      }
    }
    for (const file of [...files, PING, 'medusa-config.ts']) {
      await shop.dev.updateSince(mark, file);
    }
    const updates = shop.dev.updatesSince(mark);
    expect(updates.filter(({ result }) => result === 'restarted')).toHaveLength(1);
    expect(updates.flatMap(({ files: named }) => named).sort()).toEqual(
      [...files, PING, 'medusa-config.ts'].sort(),
    );
    expect((await shop.stats()).pid).not.toBe(pid);
    expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'switched' });
  });
});

test('a `vite.config` that does not load changes nothing until it is mended', async () => {
  const { pid } = await shop.stats();
  const broken = await shop.dev.nextUpdate('vite.config.ts', () =>
    shop.project.write('vite.config.ts', 'export default {{;\n'),
  );
  expect(broken.result).toBe('kept-previous');
  expect((await shop.stats()).pid).toBe(pid);
  const mended = await shop.dev.nextUpdate('vite.config.ts', () =>
    shop.project.write('vite.config.ts', `${VITE_CONFIG}// Mended.\n`),
  );
  expect(mended.result).toBe('restarted');
});

test('a config that throws leaves the app as it was', async () => {
  const { pid } = await shop.stats();
  const broken = await shop.dev.nextUpdate(
    'medusa-config.ts',
    edit('medusa-config.ts', (source) => `${source}\nthrow new Error('no config');\n`),
  );
  expect(broken).toMatchObject({ result: 'kept-previous', error: { message: 'no config' } });
  expect((await shop.stats()).pid).toBe(pid);
});

describe('a file that throws, and was refused by the running app,', () => {
  const BROKEN = "throw new Error('at the top');\n";
  const thrown = { result: 'kept-previous', error: { message: 'at the top' } };

  async function refuse(line: string): Promise<void> {
    const update = await shop.dev.nextUpdate(
      PING,
      edit(PING, (source) => `${line}${source.replace('pong', 'mended')}`),
    );
    expect(update).toMatchObject(thrown);
  }

  // Caused by a link that was saved while a job was broken: the app was down until the job was mended.
  test('does not take it down when another one restarts, until it is mended', async () => {
    const { pid } = await shop.stats();
    await refuse(BROKEN);
    for (const file of ['src/links/product-brand.ts', 'medusa-config.ts']) {
      expect(await shop.dev.nextUpdate(file, edit(file, touch))).toMatchObject(thrown);
      expect((await shop.stats()).pid).toBe(pid);
      expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'pong' });
    }
    const mended = await shop.dev.nextUpdate(
      PING,
      edit(PING, (source) => source.replace(BROKEN, '')),
    );
    expect(mended).toMatchObject({ result: 'restarted' });
    expect(isRunning(pid)).toBe(false);
    expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'mended' });
  });

  test('is in the next app if that is where it works', async () => {
    await refuse(`if (!process.env.NEEDED) ${BROKEN}`);
    const update = await shop.dev.nextUpdate('.env', () =>
      shop.project.write('.env', 'NEEDED=yes\n'),
    );
    expect(update).toMatchObject({ result: 'restarted' });
    expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'mended' });
  });

  test('is tried with the feature flags of a boot', async () => {
    await refuse(
      `import { FeatureFlag } from '@medusajs/framework/utils';\nif (!process.env.NEEDED || !FeatureFlag.isFeatureEnabled('shop_flag')) ${BROKEN}`,
    );
    const update = await shop.dev.nextUpdate('.env', () =>
      shop.project.write('.env', 'NEEDED=yes\n'),
    );
    expect(update).toMatchObject({ result: 'restarted' });
  });
});

describe('an app that', () => {
  test('throws where nobody catches goes on, as under `medusa develop`', async () => {
    const { pid } = await shop.stats();
    await shop.dev.get('/fault?kind=throw');
    await until(
      () => shop.dev.output(),
      (output) => output.includes('thrown where nobody catches'),
    );
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('exits is reported with its code and last words, and started again', async () => {
    const { exit, message } = await crash(() => shop.dev.get('/fault?kind=exit'));
    expect(exit).toEqual({ event: 'exit', code: 7, signal: null });
    expect(message).toContain('exited with code 7');
    expect(message).toContain('last words');
  });

  test('is killed from outside is reported with the signal, and started again', async () => {
    const { exit } = await crash((pid) => process.kill(pid, 'SIGKILL'));
    expect(exit).toEqual({ event: 'exit', code: null, signal: 'SIGKILL' });
  });

  test('runs out of memory says so, and is started again', async () => {
    const { exit, message } = await crash(() => shop.dev.get('/fault?kind=memory'));
    expect(exit.signal ?? exit.code).toBeTruthy();
    expect(message).toContain('heap out of memory');
  });

  test('exits while a file is evaluated waits for the next save, and says why', async () => {
    const mark = shop.dev.mark();
    const update = await shop.dev.nextUpdate(
      PING,
      edit(PING, (source) => `process.exit(3);\n${source}`),
    );
    expect(update).toMatchObject({ result: 'kept-previous' });
    expect(await shop.dev.eventSince(mark, 'exit')).toMatchObject({ code: 3 });
    const { status, text } = await shop.dev.get('/ping');
    expect(status).toBe(503);
    expect(text).toContain('exited with code 3');
    const mended = await shop.dev.nextUpdate(
      PING,
      edit(PING, (source) => source.replace('process.exit(3);\n', '').replace('pong', 'mended')),
    );
    expect(mended.result).toBe('restarted');
    expect((await shop.dev.get('/ping')).body).toEqual({ ping: 'mended' });
    // Tools learn of the new process as they did of the first.
    expect(shop.dev.childPid).toBe((await shop.stats()).pid);
  });

  test('loops at the top level of a file is replaced, and the next good save works', async () => {
    const { pid } = await shop.stats();
    const output = shop.dev.output().length;
    const mark = shop.dev.mark();
    shop.project.edit(PING, (source) => `for (;;);\n${source}`);
    await until(
      () => isRunning(pid),
      (running) => !running,
    );
    shop.project.edit(PING, (source) =>
      source.replace('for (;;);\n', '').replace('pong', 'no loop'),
    );
    await shop.answers('/ping', { ping: 'no loop' });
    await until(
      () => shop.dev.updatesSince(mark, PING).length,
      (count) => count === 2,
    );
    expect(shop.dev.output().slice(output)).toContain(STANDS_STILL);
  });

  test('loops in a handler is replaced at the next save', async () => {
    const { pid } = await shop.stats();
    const looping = shop.dev.get('/fault?kind=loop').catch(() => undefined);
    // Whoever waits behind it is not lost, for nothing of it was read.
    await until(
      () => isStuck(),
      (stuck) => stuck,
    );
    const behind = shop.dev.get('/ping');
    const output = shop.dev.output().length;
    shop.project.edit(PING, (source) => source.replace('pong', 'out of it'));
    await until(
      () => isRunning(pid),
      (running) => !running,
    );
    expect((await behind).status).toBe(200);
    expect((await looping)?.status).toBe(503);
    await shop.answers('/ping', { ping: 'out of it' });
    expect(shop.dev.output().slice(output)).toContain(STANDS_STILL);
  });
});

/** Whether a new connection gets no answer for a while. */
async function isStuck(): Promise<boolean> {
  try {
    await shop.dev.get('/ping', { signal: AbortSignal.timeout(300) });
    return false;
  } catch {
    return true;
  }
}

afterAll(async () => {
  // Before the shop is ended: the port is the same as at the start, and it is served.
  expect(await isPortTaken(shop.dev.ready.port)).toBe(true);
  const log = join(shop.project.root, 'static/ticks.log');
  const pids = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  const runs = pids.filter((pid, index) => pid !== pids[index - 1]);
  // Whoever has stopped to tick never ticks again: no two apps ever ran jobs at the same time.
  expect(new Set(runs).size).toBe(runs.length);
  expect(runs.length).toBeGreaterThan(3);
});
