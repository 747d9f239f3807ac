import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProject } from '../../../plugins/find-project.ts';
import { toPosix } from '../../../src/shared/paths.ts';

let shop: string;

beforeAll(() => {
  shop = toPosix(realpathSync.native(mkdtempSync(join(tmpdir(), 'medusa-vite ü '))));
  mkdirSync(join(shop, 'web'));
  writeFileSync(join(shop, 'medusa-config.ts'), '');
});

afterAll(() => rmSync(shop, { recursive: true, force: true }));

it("is Vite's root, if it has a `medusa-config`", () => {
  expect(findProject({ root: shop, configFile: `${shop}/vite.config.ts` })).toBe(shop);
});

it('is the folder of `vite.config`, if the front end has its root elsewhere', () => {
  expect(findProject({ root: `${shop}/web`, configFile: `${shop}/vite.config.ts` })).toBe(shop);
});

it("is Vite's root where there is no `medusa-config` at all", () => {
  expect(findProject({ root: `${shop}/web`, configFile: undefined })).toBe(`${shop}/web`);
});
