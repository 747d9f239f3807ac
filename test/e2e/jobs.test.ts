import { beforeAll, describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';
import { type JournalEntry, PROBE, witnessOf } from './support/witness.ts';

const FILE = 'src/jobs/ticker.ts';
const HELPER = 'src/jobs/_note.ts';
const COUNT_BRANDS = 'src/jobs/count-brands.ts';

interface Job {
  name?: string;
  schedule?: string;
  numberOfExecutions?: number;
  version?: string;
  file?: string;
  /** Runs before the job records. */
  before?: string;
}

/** Long enough that a second timer would show between two ticks. */
const INTERVAL_MS = 200;
/** Far beyond any test: such a job does not run. */
const NEVER_MS = 1_000_000;

function job({
  name = 'ticker',
  schedule = `{ interval: ${INTERVAL_MS} }`,
  version = 'v1',
  file = FILE,
  before = '',
}: Job = {}): string {
  return `
import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import { note } from '${file === FILE ? './_note' : '../jobs/_note'}';

export default async function ticker(): Promise<void> {
  ${before}
  record({ by: '${file}', version: '${version}', note });
}

export const config = { name: '${name}', schedule: ${schedule} };
countEvaluation('${file}');
`;
}

const shop = useShop({
  files: {
    ...PROBE,
    [FILE]: job(),
    [HELPER]: `
import { countEvaluation } from '@lib/evaluations';
export const note = 'tick';
countEvaluation('${HELPER}');
`,
    'src/api/release/route.ts': `
export function POST(_req: any, res: any) {
  (globalThis as any).release?.();
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

/** The next ticks, from now on. */
async function ticks(count: number, by: string = FILE): Promise<JournalEntry[]> {
  const entries = await witness.recorded(await witness.now(), by, count);
  return entries.slice(0, count);
}

/** Half of the interval is what timers may be late by; a second chain of them would be nearer. */
function expectOneChain(entries: JournalEntry[], intervalMs: number): void {
  const times = entries.map(({ at }) => Date.parse(at));
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  // The first gap may still be of another schedule.
  const average = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  expect(average).toBeGreaterThan(intervalMs * 0.8);
  expect(Math.min(...gaps)).toBeGreaterThan(intervalMs / 2);
}

async function schedules(): Promise<Record<string, unknown>> {
  return (await witness.probe()).schedules;
}

/** The job waits in its body until it is released. */
const WAIT = `record({ by: '${FILE}', version: 'waiting', note: '' });
  await new Promise((resolve) => { (globalThis as any).release = resolve; });`;
const release = () => witness.post('/release', {});

/** Saves a job that waits, and lets it begin to. */
async function saveWaiting(): Promise<number> {
  const before = await witness.now();
  await save(job({ before: WAIT }));
  const entries = await until(
    () => witness.entries(before, FILE),
    (found) => found.some(({ version }) => version === 'waiting'),
  );
  return entries.at(-1)?.seq ?? 0;
}

describe('a job', () => {
  test('with another body goes on with it, in one chain', async () => {
    await shop.hot([FILE], async () => {
      const update = await save(job({ version: 'second' }));
      expect(update).toMatchObject({ result: 'reloaded', resources: ['job ticker'] });
      const entries = await ticks(4);
      expect(new Set(entries.map(({ version }) => version))).toEqual(new Set(['second']));
      expectOneChain(entries, INTERVAL_MS);
    });
  });

  test('gets the new version of a helper', async () => {
    await shop.hot([HELPER, FILE], async () => {
      await shop.dev.nextUpdate(HELPER, () =>
        shop.project.edit(HELPER, (source) => source.replace("'tick'", "'tock tock'")),
      );
      expect(await ticks(1)).toMatchObject([{ note: 'tock tock' }]);
    });
  });

  test('with a cron expression gets the new version of a helper that others use too', async () => {
    const file = 'src/lib/title-case.ts';
    await shop.dev.nextUpdate(file, () =>
      shop.project.edit(file, (source) => source.replace('toUpperCase()', 'toUpperCase() + "_"')),
    );
    expect((await ticks(1, COUNT_BRANDS))[0]?.note).toMatch(/^\d+_ B_rands$/);
  });

  test('with another schedule keeps to that one only', async () => {
    await shop.hot([FILE], async () => {
      await save(job({ schedule: '{ interval: 500 }' }));
      expectOneChain(await ticks(4), 500);
    });
    await shop.hot([FILE], async () => {
      await save(job({ schedule: "'* * * * * *'" }));
      expect(await schedules()).toMatchObject({ 'job-ticker': { cron: '* * * * * *' } });
      const entries = await ticks(7);
      // A timer of Node's may be early by a millisecond: then Medusa sets one more for the same second. Two chains
      // would do that in every second; the first and the last may be seen in part only.
      const seconds = entries.map(({ at }) => Math.round(Date.parse(at) / 1000));
      const [first, last] = [seconds[0], seconds.at(-1)];
      const inner = seconds.filter((second) => second !== first && second !== last);
      const isAlone = (second: number) => inner.filter((other) => other === second).length === 1;
      expect(inner.some(isAlone), `${seconds}`).toBe(true);
    });
  });

  test('with another name is scheduled by that one only', async () => {
    await shop.hot([FILE], async () => {
      await save(job({ name: 'metronome' }));
      expectOneChain(await ticks(4), INTERVAL_MS);
    });
    const { workflows } = await witness.probe();
    expect(Object.keys(workflows)).toContain('job-metronome');
    expect(Object.keys(workflows)).not.toContain('job-ticker');
    expect(Object.keys(await schedules())).not.toContain('job-ticker');
  });

  test('with a number of executions ends after these, and runs again with another number', async () => {
    const seq = await witness.now();
    const limited = (numberOfExecutions: number) =>
      job({
        version: `of ${numberOfExecutions}`,
        schedule: `{ interval: 50, numberOfExecutions: ${numberOfExecutions} }`,
      });
    for (const count of [2, 3]) {
      await shop.hot([FILE], async () => {
        await save(limited(count));
        await until(schedules, (now) => !('job-ticker' in now));
        const entries = await witness.entries(seq, FILE);
        expect(entries.filter(({ version }) => version === `of ${count}`)).toHaveLength(count);
      });
    }
  });

  test.each([
    ['does not parse', job().replace('async function', 'async async function')],
    ['throws', `${job()}\nthrow new Error('not today');\n`],
    ['has no schedule', job().replace('schedule:', 'timetable:')],
    ['has a schedule that cannot be read', job({ schedule: "'every now and then'" })],
  ])('that %s is kept, and mended by the next save', async (_, broken) => {
    const { pid } = await shop.stats();
    const update = await save(broken);
    expect(update.result).toBe('kept-previous');
    expect(await ticks(2)).toMatchObject([{ version: 'v1' }, { version: 'v1' }]);
    await save(job({ version: 'mended' }));
    const entries = await ticks(4);
    expect(entries.at(-1)?.version).toBe('mended');
    expectOneChain(entries, INTERVAL_MS);
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('without a function is taken, as in stock, and runs once it has one', async () => {
    const { pid } = await shop.stats();
    const unfinished = job().replace('export default async function', 'export async function');
    expect((await save(unfinished)).result).toBe('reloaded');
    expect((await save(job({ version: 'complete' }))).result).toBe('reloaded');
    expect(await ticks(2)).toMatchObject([{ version: 'complete' }, { version: 'complete' }]);
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('that is switched off does not run until it is switched on', async () => {
    const switchable = (isDisabled: boolean) => `
import { defineFileConfig } from '@medusajs/framework/utils';
defineFileConfig({ isDisabled: () => ${isDisabled} });
${job()}`;
    await shop.hot([FILE], async () => {
      await save(switchable(true));
      expect(Object.keys(await schedules())).not.toContain('job-ticker');
    });
    await shop.hot([FILE], async () => {
      await save(switchable(false));
      expectOneChain(await ticks(3), INTERVAL_MS);
    });
  });
});

describe('a job that runs while it is saved', () => {
  test('finishes as it began and goes on in one chain', async () => {
    const seq = await saveWaiting();
    await shop.hot([FILE], async () => {
      await save(job({ version: 'second' }));
    });
    await release();
    const entries = await witness.recorded(seq, FILE, 5);
    expect(entries.map(({ version }) => version)).toEqual([
      'v1',
      ...entries.slice(1).map(() => 'second'),
    ]);
    expectOneChain(entries, INTERVAL_MS);
  });

  test('keeps to its new schedule only', async () => {
    const seq = await saveWaiting();
    await shop.hot([FILE], async () => {
      await save(job({ version: 'second', schedule: '{ interval: 400 }' }));
      await witness.recorded(seq, FILE, 1);
      await release();
      const entries = await witness.recorded(seq, FILE, 5);
      expect(entries.filter(({ version }) => version === 'v1')).toHaveLength(1);
      expectOneChain(
        entries.filter(({ version }) => version === 'second'),
        400,
      );
    });
    expect(await schedules()).toMatchObject({ 'job-ticker': { interval: 400 } });
  });

  test('does not run again once it is deleted', async () => {
    const seq = await saveWaiting();
    await shop.dev.nextUpdate(FILE, () => shop.project.remove(FILE));
    await release();
    await witness.recorded(seq, FILE, 1);
    // Another job has run since: so would this one have.
    await ticks(1, COUNT_BRANDS);
    expect(await witness.entries(seq, FILE)).toMatchObject([{ version: 'v1' }]);
    expect(Object.keys(await schedules())).not.toContain('job-ticker');
  });
});

describe('a job file', () => {
  const OTHER = 'src/jobs/other.ts';

  test('that is added, renamed and deleted runs in one chain, and then not any more', async () => {
    const slow = `{ interval: ${NEVER_MS} }`;
    await shop.hot([OTHER], async () => {
      await save(job({ name: 'other', file: OTHER }), OTHER);
      expectOneChain(await ticks(3, OTHER), INTERVAL_MS);
    });
    const to = 'src/jobs/renamed.ts';
    await shop.hot([OTHER], async () => {
      const mark = shop.dev.mark();
      shop.project.rename(OTHER, to);
      await Promise.all([shop.dev.updateSince(mark, OTHER), shop.dev.updateSince(mark, to)]);
      expectOneChain(await ticks(4, OTHER), INTERVAL_MS);
    });
    await shop.hot([to], async () => {
      await save(job({ name: 'other', file: to, schedule: slow }), to);
      expect(await schedules()).toMatchObject({ 'job-other': { interval: NEVER_MS } });
    });
    await shop.hot([], async () => {
      await shop.dev.nextUpdate(to, () => shop.project.remove(to));
      expect(Object.keys(await schedules())).not.toContain('job-other');
    });
    expect(Object.keys((await witness.probe()).workflows)).not.toContain('job-other');
  });

  test('gives its name to another one', async () => {
    const { pid } = await shop.stats();
    const mark = shop.dev.mark();
    shop.project.write(FILE, job({ name: 'second', version: 'second' }));
    shop.project.write(OTHER, job({ name: 'ticker', file: OTHER }));
    await Promise.all([shop.dev.updateSince(mark, FILE), shop.dev.updateSince(mark, OTHER)]);
    expectOneChain(await ticks(3), INTERVAL_MS);
    expectOneChain(await ticks(3, OTHER), INTERVAL_MS);
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('that shares its name with another runs when that one is gone, as after a start', async () => {
    const first = 'src/jobs/a-first.ts';
    const last = 'src/jobs/z-last.ts';
    const shared = (file: string, version: string) => job({ name: 'shared', file, version });
    const running = async () => {
      const seq = await witness.now();
      const all = await until(
        async () => (await witness.entries(seq)).filter(({ by }) => by === first || by === last),
        (entries) => entries.length >= 2,
      );
      expectOneChain(all, INTERVAL_MS);
      return [...new Set(all.map(({ by, version }) => `${by} ${version}`))];
    };
    const { pid } = await shop.stats();
    await save(shared(first, 'one'), first);
    await save(shared(last, 'one'), last);
    expect(await running()).toEqual([`${last} one`]);
    await save(shared(first, 'number two'), first);
    expect(await running()).toEqual([`${last} one`]);
    expect((await shop.stats()).pid).toBe(pid);
    await shop.dev.nextUpdate('.env', () => shop.project.write('.env', 'FRESH=start'));
    // Medusa starts with a timer for each of the two files; from the first tick on there is one.
    await witness.recorded(await witness.now(), last, 3);
    expect(await running()).toEqual([`${last} one`]);

    await shop.dev.nextUpdate(last, () => shop.project.remove(last));
    expect(await running()).toEqual([`${first} number two`]);
    await save(shared(last, 'again'), last);
    expect(await running()).toEqual([`${last} again`]);
    await save(job({ name: 'own', file: last, schedule: `{ interval: ${NEVER_MS} }` }), last);
    expect(await running()).toEqual([`${first} number two`]);
    for (const file of [first, last]) {
      await shop.dev.nextUpdate(file, () => shop.project.remove(file));
    }
    expect(Object.keys(await schedules())).not.toContain('job-shared');
  });

  test('named `index` is a helper, as in stock', async () => {
    const index = 'src/jobs/index.ts';
    const { pid } = await shop.stats();
    await save("export const note = 'by the index';", index);
    await save(job().replace('./_note', './index'));
    expect(await ticks(1)).toMatchObject([{ note: 'by the index' }]);
    const update = await save("export const note = 'by the new index';", index);
    expect(update.result).toBe('reloaded');
    expect(await ticks(1)).toMatchObject([{ note: 'by the new index' }]);
    expect((await shop.stats()).pid).toBe(pid);
  });
});

test('what is registered is what was at the start', async () => {
  expect(await witness.registered()).toEqual(registeredBefore);
  expectOneChain(await ticks(5), INTERVAL_MS);
  const { pendingTimers, schedules } = await witness.probe();
  expect(pendingTimers).toBeLessThanOrEqual(Object.keys(schedules).length);
});
