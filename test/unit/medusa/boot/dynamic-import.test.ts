import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { replaceDynamicImport } from '../../../../src/medusa/boot/dynamic-import.ts';
import type { FileConfigs } from '../../../../src/medusa/boot/file-config.ts';
import type { MedusaPackages } from '../../../../src/medusa/packages.ts';

const INSTALLED = createRequire(import.meta.url).resolve('picomatch');

test('a file of a package is imported once, and again when it was disabled', async () => {
  const asked: string[] = [];
  const exports = {
    dynamicImport: async (path: string): Promise<unknown> => {
      asked.push(path);
      return { path };
    },
  };
  const packages = { require: () => exports, assertReplaceable: () => {} };
  let isDisabled = false;
  const fileConfigs = { isDisabled: () => isDisabled };
  replaceDynamicImport(packages as unknown as MedusaPackages, {
    root: '/shop',
    fileConfigs: fileConfigs as unknown as FileConfigs,
    importFile: () => Promise.reject(new Error('not ours')),
    decorate: (_, given) => given,
  });
  const first = await exports.dynamicImport(INSTALLED);
  expect(await exports.dynamicImport(INSTALLED)).toBe(first);
  expect(asked).toEqual([INSTALLED]);
  isDisabled = true;
  await exports.dynamicImport(INSTALLED);
  expect(asked).toEqual([INSTALLED, INSTALLED]);
  await exports.dynamicImport('/elsewhere/missing.js');
  await exports.dynamicImport('/elsewhere/missing.js');
  expect(asked).toHaveLength(4);
});
