import { afterEach, expect, it, vi } from 'vitest';
import { CLI_PLUGIN, launcherOf } from '../../../../src/host/launchers/launcher.ts';

afterEach(() => vi.unstubAllEnvs());

const medusa = { name: 'medusa-vite:serve' };

it('is recognised by the plugins, however deep they are nested', () => {
  vi.stubEnv('VITEST', undefined);
  expect(launcherOf([[false, [medusa]], undefined])).toBe('vite');
  expect(launcherOf([medusa, [[{ name: 'vite-node:hmr' }]]])).toBe('vite-node');
  expect(launcherOf([{ name: CLI_PLUGIN }, medusa])).toBe('cli');
});

it('is `test` in Vitest, except for our own command', () => {
  vi.stubEnv('VITEST', 'true');
  expect(launcherOf([medusa])).toBe('test');
  expect(launcherOf([{ name: CLI_PLUGIN }, medusa])).toBe('cli');
});
