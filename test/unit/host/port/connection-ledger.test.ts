import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConnectionLedger } from '../../../../src/host/port/connection-ledger.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medusa-vite-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('is in the first folder that takes it, and leaves nothing there', () => {
  const ledger = ConnectionLedger.create([join(folder, 'nowhere'), folder]);
  expect(dirname(ledger?.file ?? '')).toBe(folder);
  expect(existsSync(ledger?.file ?? '')).toBe(true);
  ledger?.dispose();
  expect(readdirSync(folder)).toEqual([]);
});

it('is done without where there is none', () => {
  expect(ConnectionLedger.create([join(folder, 'nowhere')])).toBeUndefined();
});
