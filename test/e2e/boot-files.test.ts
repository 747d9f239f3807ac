import { expect, test } from 'vitest';
import { useShop } from './support/shop.ts';

/** Read once by Medusa, when it starts: what each of these has defined. */
const shop = useShop({
  files: {
    'src/api/defined/route.ts': `
import { FeatureFlag } from '@medusajs/framework/utils';
const { Policy, MedusaModule } = globalThis as any;
export function GET(req: any, res: any) {
  res.json({
    policies: Object.keys(Policy).filter((name) => name.startsWith('Shop')),
    indexes: MedusaModule.getSearchIndexes().map(({ name, searchable }: any) => name),
    flags: ['brand_stories', 'brand_tales'].filter((flag) => FeatureFlag.isFeatureEnabled(flag)),
  });
}
`,
  },
});

interface Defined {
  policies: string[];
  indexes: string[];
  flags: string[];
}

const policy = (name: string) => `
import { definePolicies } from '@medusajs/framework/utils';
export default definePolicies({ name: '${name}', resource: 'brand', operation: 'read' });
`;
const index = (name: string) => `
import { defineSearchIndex, search } from '@medusajs/framework/utils';
export default defineSearchIndex({
  name: '${name}',
  primary_key: 'id',
  fields: search.define({ id: search.text(), name: search.text() }),
  async *seed() {},
});
`;
const flag = (key: string) =>
  `export default { key: '${key}', default_val: true, env_key: 'SHOP_${key}', description: '' };`;

const kinds: [what: string, file: string, source: (name: string) => string, keyof Defined][] = [
  ['policy', 'src/policies/brand.ts', policy, 'policies'],
  ['policy beside `src`', 'policies/brand.ts', policy, 'policies'],
  ['search index', 'src/search/brands.ts', index, 'indexes'],
  ['flag of a module', 'src/modules/brand/feature-flags/stories.ts', flag, 'flags'],
];

test.each(kinds)(
  'a %s that is added, changed and deleted restarts the app',
  async (_, file, source, kind) => {
    const defined = async () => ((await shop.dev.get('/defined')).body as Defined)[kind];
    const names = kind === 'flags' ? ['brand_stories', 'brand_tales'] : ['ShopOne', 'ShopSecond'];
    const [first = '', second = ''] = names;
    const save = (name: string) => shop.project.write(file, source(name));
    const saves = [
      ['was added', () => save(first), [first]],
      ['changed', () => save(second), [second]],
      ['was deleted', () => shop.project.remove(file), []],
    ] as const;
    for (const [event, change, expected] of saves) {
      const update = await shop.restarted(() => shop.dev.nextUpdate(file, change));
      expect(update).toMatchObject({ files: [file], reason: `${file} ${event}` });
      expect(await defined()).toEqual(expected);
    }
  },
);

test('files that Medusa would not load there are left alone', async () => {
  const file = 'src/modules/brand/notes/flags.ts';
  await shop.hot([], async () => {
    const update = await shop.dev.nextUpdate(file, () => shop.project.write(file, flag('notes')));
    expect(update).toMatchObject({ result: 'ignored', reason: 'not loaded by the app' });
  });
});
