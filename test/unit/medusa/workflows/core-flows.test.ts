import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { MedusaPackages } from '../../../../src/medusa/packages.ts';
import { nameCoreFlows } from '../../../../src/medusa/workflows/core-flows.ts';

const COUNTER = 'medusa-vite:evaluated';
let folder: string;
let file: string;
let packages: MedusaPackages;
const evaluated = () => Reflect.get(globalThis, COUNTER) as number;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite ü ')));
  file = join(folder, 'index.js');
  writeFileSync(file, `globalThis['${COUNTER}']++; exports.flow = 1;`);
  Reflect.set(globalThis, COUNTER, 0);
  packages = { tryResolveFrom: () => file } as unknown as MedusaPackages;
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('never loads the workflows by itself', async () => {
  await nameCoreFlows(packages);
  expect(evaluated()).toBe(0);
});

it('does nothing where they are not installed', async () => {
  packages.tryResolveFrom = () => undefined;
  await nameCoreFlows(packages);
  expect(evaluated()).toBe(0);
});
