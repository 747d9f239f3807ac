import type { Browser, Page, WebSocket } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test, vi } from 'vitest';
import { useShop } from '../e2e/support/shop.ts';
import { touch } from '../e2e/support/touch.ts';
import { launchChromium } from './support/chromium.ts';

const PING = 'src/api/ping/route.ts';
const TEXT = 'web/text.ts';
const WAIT_MS = 60_000;

vi.setConfig({ testTimeout: 3 * WAIT_MS });

const shop = useShop({
  launcher: 'vite',
  files: {
    'index.html': `
<h1></h1><input><ol></ol>
<script type="module" src="/web/main.ts"></script>
`,
    'web/main.ts': `
import { text } from './text.ts';
const show = (title: string) => { document.querySelector('h1')!.textContent = title; };
show(text);
import.meta.hot?.accept('./text.ts', (next) => show(next?.text));
import.meta.hot?.on('medusa-vite:update', ({ result, files }) => {
  document.querySelector('ol')!.append(Object.assign(document.createElement('li'), { textContent: \`\${result} \${files}\` }));
});
`,
  },
});
let browser: Browser;
let page: Page;
let problems: string[];
let sockets: WebSocket[];

beforeAll(async () => {
  browser = await launchChromium();
  page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('websocket', (socket) => sockets.push(socket));
  sockets = [];
  problems = [];
  const [, url = ''] = /Local: +(\S+)/.exec(shop.dev.output()) ?? [];
  await page.goto(url);
  await page.locator('input').fill('half a sentence');
  await page.evaluate(() => Object.assign(globalThis, { isThisPage: true }));
});

beforeEach(() => {
  onTestFailed(async () => console.error(problems, await page.locator('body').innerHTML()));
});

afterAll(() => browser?.close());

async function expectSamePage(): Promise<void> {
  expect(await page.evaluate(() => 'isThisPage' in globalThis)).toBe(true);
  expect(await page.locator('input').inputValue()).toBe('half a sentence');
  expect(sockets.map((socket) => socket.isClosed())).toEqual([false]);
  expect(problems).toEqual([]);
}

test('an open page keeps its state over reloads and a restart of the backend, and is told of each', async () => {
  const { pid } = await shop.stats();
  for (let reload = 0; reload < 3; reload++) {
    const update = await shop.dev.nextUpdate(PING, () => shop.project.edit(PING, touch));
    expect(update.result).toBe('reloaded');
  }
  expect((await shop.stats()).pid).toBe(pid);
  const restart = await shop.dev.nextUpdate('medusa-config.ts', () =>
    shop.project.edit('medusa-config.ts', touch),
  );
  expect(restart.result).toBe('restarted');
  expect((await shop.stats()).pid).not.toBe(pid);
  await expect
    .poll(() => page.locator('li').allTextContents(), { timeout: WAIT_MS })
    .toEqual([...Array(3).fill(`reloaded ${PING}`), 'restarted medusa-config.ts']);
  await expectSamePage();
});

test("a front-end edit shows on the page by Vite's own HMR, and the backend does not notice", async () => {
  const { pid } = await shop.stats();
  const mark = shop.dev.mark();
  expect(await page.locator('h1').textContent()).toBe('one');
  shop.project.edit(TEXT, (source) => source.replace('one', 'second'));
  await expect.poll(() => page.locator('h1').textContent(), { timeout: WAIT_MS }).toBe('second');
  await shop.dev.updateSince(mark, TEXT);
  expect(shop.dev.updatesSince(mark).map(({ result }) => result)).toEqual(['ignored']);
  expect((await shop.stats()).pid).toBe(pid);
  await expectSamePage();
});
