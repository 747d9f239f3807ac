import { beforeAll, describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';
import { PROBE, witnessOf } from './support/witness.ts';

const FILE = 'src/subscribers/watcher.ts';
const HELPER = 'src/subscribers/_helper.ts';

interface Subscriber {
  /** Of the handler; by default it has none. */
  name?: string;
  events?: string[];
  id?: string;
  version?: string;
  file?: string;
}

function subscriber({
  name = '',
  events = ['a.happened'],
  id,
  version = 'v1',
  file = FILE,
}: Subscriber): string {
  return `
import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import { describeEvent } from './_helper';

export default async function ${name}({ event }: any) {
  record({ by: '${file}', version: '${version}', note: describeEvent(event.name) });
}

export const config = {
  event: ${JSON.stringify(events.length === 1 ? events[0] : events)},
  ${id ? `context: { subscriberId: '${id}' },` : ''}
};
countEvaluation('${file}');
`;
}

const shop = useShop({
  files: {
    ...PROBE,
    [FILE]: subscriber({ name: 'onHappened' }),
    [HELPER]: `
import { countEvaluation } from '@lib/evaluations';
export const describeEvent = (name: string) => name;
countEvaluation('${HELPER}');
`,
    'src/api/emit/route.ts': `
export async function POST(req: any, res: any) {
  await req.scope.resolve('event_bus').emit({ name: req.body.name, data: {} });
  res.json({});
}
`,
  },
});
const witness = witnessOf(shop);
let registeredBefore: object;

beforeAll(async () => {
  registeredBefore = await witness.registered();
});

const save = (source: string, file: string = FILE) =>
  shop.dev.nextUpdate(file, () => shop.project.write(file, source));

/** What the subscribers recorded of the events: they have run when the answer is there. */
async function emit(...names: string[]): Promise<string[]> {
  const seq = await witness.now();
  for (const name of names) {
    await witness.post('/emit', { name });
  }
  const entries = await witness.entries(seq);
  return entries
    .filter(({ by }) => by.startsWith('src/subscribers/'))
    .map(({ by, version, note }) => `${by.slice('src/subscribers/'.length)} ${version}: ${note}`);
}

async function idsOf(event: string): Promise<{ ids: string[]; listeners: number }> {
  const { subscribers, listeners } = await witness.probe();
  return { ids: subscribers[event] ?? [], listeners: listeners[event] ?? 0 };
}

describe('a subscriber', () => {
  test('with another body is called once, without being registered again', async () => {
    expect(await emit('a.happened')).toEqual(['watcher.ts v1: a.happened']);
    const { listenerNumbers } = await witness.probe();
    await shop.hot([FILE], async () => {
      const update = await save(subscriber({ name: 'onHappened', version: 'second' }));
      expect(update).toMatchObject({ result: 'reloaded', resources: ['subscriber watcher'] });
      expect(await emit('a.happened')).toEqual(['watcher.ts second: a.happened']);
    });
    expect(await idsOf('a.happened')).toEqual({ ids: ['on-happened'], listeners: 1 });
    expect((await witness.probe()).listenerNumbers).toEqual(listenerNumbers);
  });

  test('gets the new version of a helper', async () => {
    await shop.hot([HELPER, FILE], async () => {
      await shop.dev.nextUpdate(HELPER, () =>
        shop.project.edit(HELPER, (source) => source.replace('=> name', '=> name.toUpperCase()')),
      );
      expect(await emit('a.happened')).toEqual(['watcher.ts v1: A.HAPPENED']);
    });
  });

  test('gets the new version of a helper three imports away', async () => {
    const file = 'src/lib/title-case.ts';
    const subscriberFile = 'src/subscribers/product-created.ts';
    await shop.dev.nextUpdate(subscriberFile, () =>
      shop.project.edit(subscriberFile, (source) =>
        source
          .replace("'product.created'", "'a.happened'")
          .replace(/const product = .*;/, "const product = { title: brandLabel('title') };")
          .replace(
            'import { record }',
            "import { brandLabel } from '@lib/brand-label';\nimport { record }",
          ),
      ),
    );
    expect(await emit('a.happened')).toContain('product-created.ts v1: “Title”');
    const update = await shop.dev.nextUpdate(file, () =>
      shop.project.edit(file, (source) =>
        source.replace('toUpperCase()', 'toUpperCase().repeat(2)'),
      ),
    );
    expect(update.result).toBe('reloaded');
    expect((await emit('a.happened')).toSorted()).toEqual([
      'product-created.ts v1: “TTitle”',
      'watcher.ts v1: a.happened',
    ]);
  });

  test('of another event is called for that one only', async () => {
    await shop.hot([FILE], async () => {
      await save(subscriber({ name: 'onHappened', events: ['another.happened'] }));
      expect(await emit('a.happened', 'another.happened')).toEqual([
        'watcher.ts v1: another.happened',
      ]);
    });
    expect(await idsOf('a.happened')).toEqual({ ids: [], listeners: 0 });
  });

  test('of several events is called once for each, and for those that are left', async () => {
    await shop.hot([FILE], async () => {
      await save(subscriber({ name: 'onHappened', events: ['a.happened', 'b.happened'] }));
      expect(await emit('a.happened', 'b.happened')).toEqual([
        'watcher.ts v1: a.happened',
        'watcher.ts v1: b.happened',
      ]);
    });
    await shop.hot([FILE], async () => {
      await save(subscriber({ name: 'onHappened', events: ['b.happened', 'c.happened'] }));
      expect(await emit('a.happened', 'b.happened', 'c.happened')).toEqual([
        'watcher.ts v1: b.happened',
        'watcher.ts v1: c.happened',
      ]);
    });
  });

  test('of all events is called once', async () => {
    await shop.hot([FILE], async () => {
      await save(subscriber({ name: 'onHappened', events: ['*'] }));
      expect(await emit('any.happened')).toEqual(['watcher.ts v1: any.happened']);
    });
    await save(subscriber({ name: 'onHappened' }));
    expect(await emit('any.happened')).toEqual([]);
  });

  test.each([
    ['name of its handler', { name: 'onceHappened' }, 'once-happened'],
    ['id', { name: 'onHappened', id: 'an-observer' }, 'an-observer'],
    ['id, by its handler having no name,', {}, 'watcher'],
  ])('with another %s is registered once', async (_, change, id) => {
    await shop.hot([FILE], async () => {
      await save(subscriber(change));
      expect(await idsOf('a.happened')).toEqual({ ids: [id], listeners: 1 });
      expect(await emit('a.happened')).toEqual(['watcher.ts v1: a.happened']);
    });
  });

  test.each([
    [
      'does not parse',
      (source: string) => source.replace('async function', 'async function function'),
    ],
    ['throws', (source: string) => `${source}\nthrow new Error('not today');\n`],
  ])('that %s loses no event, and is mended by the next save', async (_, damage) => {
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(FILE, () => shop.project.edit(FILE, damage));
    expect(update.result).toBe('kept-previous');
    expect(await emit('a.happened')).toEqual(['watcher.ts v1: a.happened']);
    await save(subscriber({ name: 'onHappened', version: 'mended' }));
    expect(await emit('a.happened')).toEqual(['watcher.ts mended: a.happened']);
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('is called once after 20 edits', async () => {
    const { pid } = await shop.stats();
    for (let edit = 1; edit <= 20; edit++) {
      // By turns the body and the event.
      const events = edit % 4 === 3 ? ['b.happened'] : ['a.happened'];
      await save(subscriber({ name: 'onHappened', version: 'n'.repeat(edit), events }));
    }
    expect(await emit('a.happened', 'b.happened')).toEqual([
      `watcher.ts ${'n'.repeat(20)}: a.happened`,
    ]);
    expect(await idsOf('a.happened')).toEqual({ ids: ['on-happened'], listeners: 1 });
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('without a handler is as good as gone', async () => {
    await save('export const config = { event: "a.happened" };');
    expect(await emit('a.happened')).toEqual([]);
    await save(subscriber({ name: 'onHappened' }));
    expect(await emit('a.happened')).toEqual(['watcher.ts v1: a.happened']);
  });

  test('that is switched off is not called until it is switched on', async () => {
    const switchable = (isDisabled: boolean) => `
import { defineFileConfig } from '@medusajs/framework/utils';
defineFileConfig({ isDisabled: () => ${isDisabled} });
${subscriber({ name: 'onHappened' })}`;
    await shop.hot([FILE], async () => {
      await save(switchable(true));
      expect(await emit('a.happened')).toEqual([]);
    });
    await shop.hot([FILE], async () => {
      await save(switchable(false));
      expect(await emit('a.happened')).toEqual(['watcher.ts v1: a.happened']);
    });
  });
});

describe('a subscriber file', () => {
  const OTHER = 'src/subscribers/other.ts';
  const other = (change: Subscriber = {}) =>
    subscriber({ name: 'onOther', file: OTHER, ...change });

  test('that is added, renamed and deleted is called once, by its new name, and not any more', async () => {
    await shop.hot([OTHER], async () => {
      await save(other({ events: ['b.happened'] }), OTHER);
      expect(await emit('b.happened')).toEqual(['other.ts v1: b.happened']);
    });
    const to = 'src/subscribers/deeper/renamed.ts';
    await shop.hot([OTHER], async () => {
      const mark = shop.dev.mark();
      const source = shop.project.read(OTHER).replace("'./_helper'", "'../_helper'");
      // Not the other way round: for a moment there would be two with one id.
      shop.project.remove(OTHER);
      shop.project.write(to, source);
      const results = await Promise.all([
        shop.dev.updateSince(mark, OTHER),
        shop.dev.updateSince(mark, to),
      ]);
      expect(results.map(({ result }) => result)).toEqual(['reloaded', 'reloaded']);
      expect(await emit('b.happened')).toEqual(['other.ts v1: b.happened']);
    });
    expect(await idsOf('b.happened')).toEqual({ ids: ['on-other'], listeners: 1 });
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate(to, () => shop.project.remove(to));
      expect(update).toMatchObject({ resources: ['subscriber deeper/renamed (removed)'] });
      expect(await emit('b.happened')).toEqual([]);
    });
    expect(await idsOf('b.happened')).toEqual({ ids: [], listeners: 0 });
  });

  test('with an id that is taken is refused, and the other one is still called', async () => {
    const update = await save(other({ name: 'onHappened' }), OTHER);
    expect(update).toMatchObject({
      result: 'kept-previous',
      error: { message: 'Subscriber with id on-happened already exists', file: OTHER },
    });
    expect(await emit('a.happened')).toEqual(['watcher.ts v1: a.happened']);
  });

  test('trades its id with another one', async () => {
    await save(other(), OTHER);
    const { pid } = await shop.stats();
    // What was refused is part of the next save.
    const taken = await save(other({ name: 'onHappened' }), OTHER);
    expect(taken.result).toBe('kept-previous');
    expect((await save(subscriber({ name: 'onOther' }))).result).toBe('reloaded');
    expect((await emit('a.happened')).toSorted()).toEqual([
      'other.ts v1: a.happened',
      'watcher.ts v1: a.happened',
    ]);
    expect((await idsOf('a.happened')).listeners).toBe(2);
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('named `index` is not called, as in stock', async () => {
    const index = 'src/subscribers/index.ts';
    await save(subscriber({ name: 'onIndex', file: index }), index);
    expect(await emit('a.happened')).toEqual(['watcher.ts v1: a.happened']);
  });
});

test('what is registered is what was at the start', async () => {
  expect(await witness.registered()).toEqual(registeredBefore);
});
