import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { FlagState } from '../../../../src/medusa/boot/flag-state.ts';
import type { MedusaPackages } from '../../../../src/medusa/packages.ts';

let router: { flags: Record<string, unknown> };
let state: FlagState;
let discovered: object[];

beforeEach(() => {
  router = { flags: {} };
  const discoverAndRegisterFeatureFlags = async (options: object) => {
    discovered.push(options);
  };
  discovered = [];
  const packages = {
    require: () => ({ FeatureFlag: router, discoverAndRegisterFeatureFlags }),
    folderOf: () => '/medusa',
  };
  state = new FlagState(packages as unknown as MedusaPackages);
});

it('shows flags for a while, and gives the place back', () => {
  const forget = state.assume({ translation: true });
  expect(router.flags.translation).toBe(true);
  forget();
  expect(router.flags).toEqual({});
  router.flags.rbac = true;
  expect(state.flags).toEqual({ rbac: true });
});

it('finds a flag that was looked at and is another', () => {
  const forget = state.assume({ translation: true, rbac: true });
  void router.flags.translation;
  void router.flags.missing;
  forget();
  Object.assign(router.flags, { translation: true, rbac: false });
  expect(state.findDifference()).toBeUndefined();
  router.flags.missing = true;
  expect(state.findDifference()).toBe('missing');
  delete router.flags.missing;
  router.flags.translation = false;
  expect(state.findDifference()).toBe('translation');
});

it('sets the flags in the order of a boot, which has read the config before its own', async () => {
  await state.set('/shop', { featureFlags: { rbac: true } });
  expect(discovered).toEqual([
    { flagDir: '/shop', projectConfigFlags: {}, router },
    { flagDir: join('/medusa', 'dist'), projectConfigFlags: { rbac: true }, router },
  ]);
});
