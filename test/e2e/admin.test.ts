import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { constantLoad } from './support/constant-load.ts';
import type { Answer } from './support/dev-server.ts';
import { findProcesses, isRunning } from './support/processes.ts';
import { SHOP } from './support/repository.ts';
import { logIn, useShop } from './support/shop.ts';
import { until } from './support/until.ts';

const ADMIN = /dist\/src\/admin\/main\.js/;
const CONFIG = 'medusa-config.ts';
const PLUGIN = 'config/title-plugin.ts';
const WIDGET = 'src/admin/widgets/brand-counter.tsx';

/** The admin's Vite bundles its packages when it is new: 20 s, on a busy machine several times that. */
const BUNDLE_WAIT_MS = 150_000;
/** What the host takes for a start that has succeeded, and a moment more. */
const STABLE_AFTER_MS = 2_500;
/** Requests wait while the app is restarted: 3 s, on a busy machine ten times that. */
const RESTART_WAIT_MS = 45_000;

vi.setConfig({ testTimeout: 2 * BUNDLE_WAIT_MS });

const shop = useShop({
  hasAdmin: true,
  files: {
    [CONFIG]: `import { titlePlugin } from './config/title-plugin';\n${readFileSync(
      join(SHOP, CONFIG),
      'utf8',
    ).replace('admin: {', 'admin: {\n    vite: () => ({ plugins: [titlePlugin()] }),')}`,
    [PLUGIN]: `
export function titlePlugin() {
  const title = 'first';
  const tag = \`<head><title>\${title}</title>\`;
  return { name: 'title', transformIndexHtml: (html: string) => html.replace('<head>', tag) };
}
`,
  },
});

/** There is none for a moment while it is started anew. */
async function adminPid(): Promise<number> {
  const [pid] = await until(
    () => findProcesses(shop.dev.pid, ADMIN),
    ({ length }) => length === 1,
  );
  return pid ?? 0;
}

/** Waits for as long as the admin's Vite may bundle its packages. */
function getBundled(path: string): Promise<Answer> {
  return shop.dev.get(path, { signal: AbortSignal.timeout(BUNDLE_WAIT_MS) });
}

/** The port of the HMR socket, as the page is told. */
async function hmrPort(): Promise<string> {
  const { text } = await getBundled('/app/@vite/client');
  const [, port] = /const hmrPort = (\d+)/.exec(text) ?? [];
  expect(port).toBeDefined();
  return port ?? '';
}

async function showsTitle(title: string): Promise<void> {
  const { status, text } = await getBundled('/app');
  expect([status, text]).toEqual([200, expect.stringContaining(`<title>${title}</title>`)]);
}

test('the admin is served through the port of the app, with what the config adds', async () => {
  await showsTitle('first');
  const page = await getBundled('/app/some/page');
  expect(page.headers.get('content-type')).toMatch('text/html');
  const scripts = [...page.text.matchAll(/src="(\/app\/[^"]+)"/g)].map(([, path]) => path);
  expect(scripts).toContain('/app/entry.jsx');
  const entry = await getBundled('/app/entry.jsx');
  // The admin extension of a plugin that every Medusa has.
  expect(entry.text).toContain('draft-order');
  const imports = [...entry.text.matchAll(/from "(\/[^"]+)"/g)].map(([, path]) => path);
  expect(imports.length).toBeGreaterThan(2);
  for (const path of [...scripts, ...imports]) {
    const { status, headers } = await getBundled(path ?? '');
    expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'text/javascript']);
  }
  const etag = (await shop.dev.get('/app/@vite/client')).headers.get('etag') ?? '';
  const again = await shop.dev.get('/app/@vite/client', { headers: { 'if-none-match': etag } });
  expect([again.status, again.text]).toEqual([304, '']);
  const posted = await shop.dev.get('/app/none', { method: 'POST', body: 'x' });
  expect(posted.status).toBe(404);
});

test('it lives over a restart of the app: no request fails, and nobody is logged out', async () => {
  const pid = await adminPid();
  const { pid: appPid } = await shop.stats();
  const session = await shop.dev.get('/auth/session', {
    method: 'POST',
    headers: await logIn(shop.dev),
  });
  const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? '';
  const load = constantLoad(shop.dev.url('/app'), {
    perSecond: 10,
    waitMs: RESTART_WAIT_MS,
  });
  const update = await shop.dev.nextUpdate('package.json', () =>
    shop.project.edit('package.json', (source) => `${source}\n`),
  );
  const { total } = load;
  await until(
    () => load.total,
    (now) => now > total + 4,
  );
  expect((await load.stop()).failed).toEqual([]);
  expect(update.result).toBe('restarted');
  expect((await shop.stats()).pid).not.toBe(appPid);
  expect(await adminPid()).toBe(pid);
  expect((await shop.dev.get('/admin/users/me', { headers: { cookie } })).status).toBe(200);
});

test('it is started anew when a function that the config gives it has changed', async () => {
  const pid = await adminPid();
  const port = await hmrPort();
  const update = await shop.dev.nextUpdate(PLUGIN, () =>
    shop.project.edit(PLUGIN, (source) => source.replace("'first'", "'second edition'")),
  );
  expect(update.result).toBe('restarted');
  await showsTitle('second edition');
  expect(isRunning(pid)).toBe(false);
  expect(await hmrPort()).toBe(port);
});

test('packages that changed are loaded anew', async () => {
  const pid = await adminPid();
  const save = () => shop.project.write('package-lock.json', '{}\n');
  expect(await shop.dev.nextUpdate('package-lock.json', save)).toMatchObject({
    result: 'restarted',
  });
  await showsTitle('first');
  expect(await adminPid()).not.toBe(pid);
});

test('one that cannot start says why, and starts when that is mended; the app serves all the time', async () => {
  const mark = shop.dev.mark();
  const update = await shop.dev.nextUpdate(PLUGIN, () =>
    shop.project.edit(PLUGIN, (source) =>
      source.replace('const title = ', "const title = fail('no title') || "),
    ),
  );
  expect(update.result).toBe('restarted');
  const { status, text } = await shop.dev.get('/app');
  expect([status, text]).toEqual([503, expect.stringContaining('fail is not defined')]);
  const { error } = await shop.dev.eventSince(mark, 'error');
  expect(error.message).toContain('fail is not defined');
  expect((await shop.dev.get('/ping')).status).toBe(200);
  await shop.dev.nextUpdate(PLUGIN, () =>
    shop.project.edit(PLUGIN, (source) => source.replace("fail('no title') || ", '')),
  );
  await showsTitle('first');
});

test('one that has crashed is started again, on the same HMR port', async () => {
  const { pid: appPid } = await shop.stats();
  const pid = await adminPid();
  const port = await hmrPort();
  const seenAt = performance.now();
  // One that ends sooner would only do so again, and waits for a save.
  await until(
    () => performance.now() - seenAt,
    (upMs) => upMs > STABLE_AFTER_MS,
  );
  process.kill(pid, 'SIGKILL');
  await showsTitle('first');
  expect(await adminPid()).not.toBe(pid);
  expect(await hmrPort()).toBe(port);
  expect((await shop.stats()).pid).toBe(appPid);
});

test('a file of the admin is nothing to the app', async () => {
  const { pid } = await shop.stats();
  const update = await shop.dev.nextUpdate(WIDGET, () =>
    shop.project.edit(WIDGET, (source) => source.replace('Counted', 'Counted so far:')),
  );
  expect(update.result).toBe('ignored');
  await until(
    () => shop.dev.get(`/app/@fs${encodeURI(`${shop.project.root}/${WIDGET}`)}`),
    ({ text }) => text.includes('Counted so far:'),
  );
  expect((await shop.stats()).pid).toBe(pid);
});

test('there is no process for an admin that is switched off', async () => {
  const pid = await adminPid();
  const update = await shop.dev.nextUpdate(CONFIG, () =>
    shop.project.edit(CONFIG, (source) => source.replace('disable: ', 'disable: true || ')),
  );
  expect(update.result).toBe('restarted');
  expect((await shop.dev.get('/app')).status).toBe(404);
  await until(
    () => isRunning(pid),
    (isThere) => !isThere,
  );
  expect(findProcesses(shop.dev.pid, ADMIN)).toEqual([]);
});
