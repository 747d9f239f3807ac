import type { Browser, Page, WebSocket } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test, vi } from 'vitest';
import { findProcess } from '../e2e/support/processes.ts';
import { useShop } from '../e2e/support/shop.ts';
import { touch } from '../e2e/support/touch.ts';
import { launchChromium } from './support/chromium.ts';

const PING = 'src/api/ping/route.ts';
const WIDGET = 'src/admin/widgets/brand-counter.tsx';

/** The admin's own Vite bundles its packages for the first page: 20 s, on a busy machine several times that. */
const PAGE_WAIT_MS = 150_000;

vi.setConfig({ testTimeout: 2 * PAGE_WAIT_MS });

const shop = useShop({ hasAdmin: true });
let browser: Browser;
let page: Page;
let problems: string[];
/** Of Vite, in the order in which the page opened them. */
let sockets: WebSocket[];
/** What Vite has told the page. */
let frames: string[];

beforeAll(async () => {
  browser = await launchChromium();
  page = await browser.newPage();
  page.setDefaultTimeout(PAGE_WAIT_MS);
  page.on('pageerror', (error) => problems.push(String(error)));
  sockets = [];
  page.on('websocket', (socket) => {
    sockets.push(socket);
    socket.on('framereceived', ({ payload }) => frames.push(String(payload)));
  });
});

beforeEach(() => {
  problems = [];
  frames = [];
  onTestFailed(async () => {
    console.error(problems, frames, page.url(), await page.locator('body').textContent());
  });
});

afterAll(() => browser?.close());

test('the admin shows its login page', async () => {
  await page.goto(shop.dev.url('/app'));
  await page.locator('input[name="email"]').waitFor();
  await page.locator('input[name="password"]').waitFor();
  expect(problems).toEqual([]);
});

test('who logs in sees the widget of the shop', async () => {
  await logIn();
  await page.goto(shop.dev.url('/app/products'));
  // Vite loads a page anew when it finds packages on it that it has not bundled yet.
  await page.waitForLoadState('networkidle');
  await count();
  expect(problems).toEqual([]);
});

test('an open page keeps its state and its socket over ten reloads and a restart of the backend', async () => {
  const counter = page.getByTestId('brand-counter');
  await count();
  const counted = await counter.textContent();
  await leaveMark();
  const before = [...sockets];
  const { pid } = await shop.stats();
  for (let reload = 0; reload < 10; reload++) {
    const update = await shop.dev.nextUpdate(PING, () => shop.project.edit(PING, touch));
    expect(update.result).toBe('reloaded');
  }
  const restart = await shop.dev.nextUpdate('.env', () => shop.project.write('.env', 'A=1\n'));
  expect(restart.result).toBe('restarted');
  expect((await shop.stats()).pid).not.toBe(pid);
  // The app is new, the page is not, and who had logged in still is.
  expect(await page.evaluate(async () => (await fetch('/admin/products')).status)).toBe(200);
  expect(await counter.textContent()).toBe(counted);
  expect(await hasMark()).toBe(true);
  expect(sockets).toEqual(before);
  expect(sockets.at(-1)?.isClosed()).toBe(false);
  expect(problems).toEqual([]);
});

// In one step, as editors do: Medusa's Vite plugin would take a file caught empty for one without a widget, and
// load the page anew.
test('an edit of a widget shows on the open page, and the backend does not notice', async () => {
  await leaveMark();
  const { pid } = await shop.stats();
  const mark = shop.dev.mark();
  shop.project.saveLikeAnEditor(WIDGET, (source) => source.replace('>Brands<', '>Our brands<'));
  const title = page.getByTestId('brand-counter-title');
  await expect.poll(() => title.textContent(), POLL).toBe('Our brands');
  await shop.dev.updateSince(mark, WIDGET);
  expect(shop.dev.updatesSince(mark).map(({ result }) => result)).toEqual(['ignored']);
  expect((await shop.stats()).pid).toBe(pid);
  expect(await hasMark()).toBe(true);
  expect(sockets.at(-1)?.isClosed()).toBe(false);
  expect(problems).toEqual([]);
  await mend((source) => source.replace('>Our brands<', '>Brands<'));
});

// Medusa's Vite plugin leaves out a widget that it cannot parse, and loads the page anew, also when it is mended.
test('a syntax error in a widget is shown, and the widget is there again when it is mended', async () => {
  const title = page.getByTestId('brand-counter-title');
  // Vite's watcher may lose a save that follows another at once, as this one the restored widget.
  await expect.poll(() => title.textContent(), POLL).toBe('Brands');
  const shown = shop.dev.output().length;
  shop.project.saveLikeAnEditor(WIDGET, (source) => source.replace('return (', 'return ((('));
  await expect
    .poll(() => shop.dev.output().slice(shown), POLL)
    .toMatch(/brand-counter\.tsx[\s\S]*Unexpected token/);
  shop.project.saveLikeAnEditor(WIDGET, (source) =>
    source.replace('return (((', 'return (').replace('>Brands<', '>Mended now<'),
  );
  await expect.poll(() => title.textContent(), POLL).toBe('Mended now');
  expect((await shop.dev.get('/ping')).status).toBe(200);
  await mend((source) => source.replace('>Mended now<', '>Brands<'));
});

test('an open page comes back by itself when the process of the admin has crashed', async () => {
  await leaveMark();
  const { pid } = await shop.stats();
  process.kill(findProcess(shop.dev.pid, ADMIN_PROCESS), 'SIGKILL');
  // Vite's client waits for its socket to be there again, on the port that it knows, and loads the page anew.
  await expect.poll(() => hasMark().catch(() => true), POLL).toBe(false);
  await page.getByTestId('brand-counter').waitFor();
  expect((await shop.stats()).pid).toBe(pid);
});

/** Puts the widget back as it was, and sees it on the page: the next test begins with that. */
async function mend(change: (source: string) => string): Promise<void> {
  const mark = shop.dev.mark();
  shop.project.saveLikeAnEditor(WIDGET, change);
  await expect
    .poll(() => page.getByTestId('brand-counter-title').textContent(), POLL)
    .toBe('Brands');
  await shop.dev.updateSince(mark, WIDGET);
}

const ADMIN_PROCESS = /admin\/main\.js/;
const POLL = { timeout: PAGE_WAIT_MS };

/** Clicks the counter until it counts: a page may show it before it listens. */
async function count(): Promise<void> {
  const counter = page.getByTestId('brand-counter');
  const before = await counter.textContent();
  await expect
    .poll(async () => {
      await counter.click();
      return counter.textContent();
    }, POLL)
    .not.toBe(before);
}

async function leaveMark(): Promise<void> {
  await page.evaluate(() => Object.assign(globalThis, { isThisPage: true }));
}

async function hasMark(): Promise<boolean> {
  return page.evaluate(() => 'isThisPage' in globalThis);
}

async function logIn(): Promise<void> {
  await page.locator('input[name="email"]').fill('admin@shop.test');
  await page.locator('input[name="password"]').fill('supersecret');
  await page.locator('button[type="submit"]').click();
  await page.waitForURL((url) => !url.pathname.endsWith('/login'));
}
