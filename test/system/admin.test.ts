import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test, vi } from 'vitest';
import { useShop } from '../e2e/support/shop.ts';
import { touch } from '../e2e/support/touch.ts';
import { launchChromium } from './support/chromium.ts';

const PING = 'src/api/ping/route.ts';

/** The admin's own Vite bundles its packages for the first page: 20 s, on a busy machine several times that. */
const PAGE_WAIT_MS = 150_000;

vi.setConfig({ testTimeout: 2 * PAGE_WAIT_MS });

const shop = useShop();
let browser: Browser;
let page: Page;
let problems: string[];

beforeAll(async () => {
  browser = await launchChromium();
  page = await browser.newPage();
  page.setDefaultTimeout(PAGE_WAIT_MS);
  page.on('pageerror', (error) => problems.push(String(error)));
});

beforeEach(() => {
  problems = [];
  onTestFailed(async () => {
    console.error(problems, page.url(), await page.locator('body').textContent());
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
  const counter = page.getByTestId('brand-counter');
  await counter.click();
  await expect.poll(() => counter.textContent()).toBe('Counted 1');
  expect(problems).toEqual([]);
});

test('the admin goes on as before after a reload of the backend', async () => {
  const update = await shop.dev.nextUpdate(PING, () => shop.project.edit(PING, touch));
  expect(update.result).toBe('reloaded');
  await page.reload();
  await page.getByTestId('brand-counter').waitFor();
  expect(problems).toEqual([]);
});

async function logIn(): Promise<void> {
  await page.locator('input[name="email"]').fill('admin@shop.test');
  await page.locator('input[name="password"]').fill('supersecret');
  await page.locator('button[type="submit"]').click();
  await page.waitForURL((url) => !url.pathname.endsWith('/login'));
}
