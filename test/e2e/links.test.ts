import { expect, test } from 'vitest';
import { useShop } from './support/shop.ts';

const LINK = 'src/links/product-brand.ts';
const CONFIG = 'medusa-config.ts';
const PROVIDERS = 'config/notification-providers.ts';
const FLAG = 'src/feature-flags/loud-greetings.ts';
const ADDED_FLAG = 'src/feature-flags/quiet.ts';

const shop = useShop({
  files: {
    'src/api/seen/route.ts': `
import { MedusaModule } from '@medusajs/framework/modules-sdk';
import { FeatureFlag } from '@medusajs/framework/utils';
export function GET(req: any, res: any) {
  const { projectConfig, modules } = req.scope.resolve('configModule');
  const links = MedusaModule.getAllJoinerConfigs().filter(({ isLink }) => isLink);
  const ofBrands = links.find(({ serviceName }) => /brand/i.test(serviceName ?? ''));
  res.json({
    cascades: ofBrands?.relationships?.map(({ deleteCascade }) => deleteCascade ?? false) ?? null,
    signature: modules.notification.options.providers.at(-1).options.signature,
    cookies: projectConfig.http.jwtSecret,
    marks: performance.getEntriesByType('mark').map(({ name }) => name),
    flags: ['loud_greetings', 'quiet'].filter((flag) => FeatureFlag.isFeatureEnabled(flag)),
  });
}
`,
  },
});

interface Seen {
  /** Of the sides of the link between products and brands; null if there is none. */
  cascades: boolean[] | null;
  signature: string;
  cookies: string;
  marks: string[];
  flags: string[];
}

const seen = async () => (await shop.dev.get('/seen')).body as Seen;

interface Restart {
  file: string;
  save(source: string): string | undefined;
  reason: string;
  note?: string;
  arrived(): Promise<unknown>;
}

/** What Medusa loads once, at boot. The saves stay in place until the last one has come. */
const restarts: Restart[] = [
  {
    file: LINK,
    save: (source) => source.replace(', isList: true', ', isList: true, deleteCascade: true'),
    reason: `${LINK} changed`,
    note: 'npx medusa db:sync-links',
    arrived: async () => {
      expect((await seen()).cascades).toContain(true);
      expect((await shop.dev.get('/shelf')).body).toHaveProperty('products.0.brand.name', 'acme');
    },
  },
  {
    file: CONFIG,
    save: (source) => source.replace("'supersecret',", "'a new secret',"),
    reason: `${CONFIG} changed`,
    arrived: async () => expect(await seen()).toMatchObject({ cookies: 'a new secret' }),
  },
  {
    file: PROVIDERS,
    save: (source) => source.replace("'the shop'", "'the new shop'"),
    reason: `${PROVIDERS} changed, used by ${CONFIG} (config)`,
    arrived: async () => expect(await seen()).toMatchObject({ signature: 'the new shop' }),
  },
  {
    file: 'instrumentation.ts',
    save: (source) => source.replace("'shop:instrumented'", "'shop:instrumented anew'"),
    reason: 'instrumentation.ts changed',
    arrived: async () => expect((await seen()).marks).toContain('shop:instrumented anew'),
  },
  {
    file: FLAG,
    save: (source) => source.replace('default_val: false', 'default_val: true'),
    reason: `${FLAG} changed`,
    arrived: async () => {
      expect((await seen()).flags).toEqual(['loud_greetings']);
      expect((await shop.dev.get('/greeting')).body).toEqual({ greeting: 'HELLO, WORLD!' });
    },
  },
  {
    file: ADDED_FLAG,
    save: () =>
      "export default { key: 'quiet', default_val: true, env_key: 'Q', description: '' };",
    reason: `${ADDED_FLAG} was added`,
    arrived: async () => expect((await seen()).flags).toEqual(['loud_greetings', 'quiet']),
  },
  {
    file: LINK,
    save: () => undefined,
    reason: `${LINK} was deleted`,
    arrived: async () => {
      expect(await seen()).toMatchObject({ cascades: null });
      expect((await shop.dev.get('/shelf')).body).not.toHaveProperty('products.0.brand');
    },
  },
];

test('what Medusa loads at boot restarts the app, and says why', { timeout: 240_000 }, async () => {
  expect((await seen()).cascades).not.toContain(true);
  for (const { file, save, reason, note, arrived } of restarts) {
    const output = shop.dev.output().length;
    const update = await shop.restarted(() =>
      shop.dev.nextUpdate(file, () => {
        const next = save(file === ADDED_FLAG ? '' : shop.project.read(file));
        return next === undefined ? shop.project.remove(file) : shop.project.write(file, next);
      }),
    );
    expect(update).toMatchObject({ files: [file], reason });
    await arrived();
    if (note !== undefined) {
      expect(shop.dev.output().slice(output)).toContain(note);
    }
  }
});

test.each([
  ['does not parse', (source: string) => source.replace('defineConfig({', 'defineConfig({{')],
  ['throws', (source: string) => `${source}\nthrow new Error('not configured');\n`],
])('a config that %s is kept, under requests', async (_, damage) => {
  await shop.hot([], async () => {
    const update = await shop.dev.nextUpdate(CONFIG, () => shop.project.edit(CONFIG, damage));
    expect(update).toMatchObject({ result: 'kept-previous', error: { file: CONFIG } });
  });
});
