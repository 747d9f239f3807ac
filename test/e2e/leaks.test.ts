import pg from 'pg';
import { expect, test } from 'vitest';
import type { Probe } from './support/probe-route.ts';
import { useShop } from './support/shop.ts';
import { PROBE, witnessOf } from './support/witness.ts';

/** `npm run test:leaks -- --reloads 1000` */
const RELOADS = Number(process.env.MEDUSA_VITE_TEST_RELOADS || 200);
/** By then the caches of Node, of Medusa and of the database are filled. */
const WARM_UP = 100;
/** Of Medusa's own code, which Node is still optimizing. */
const MAX_HEAP_PER_RELOAD_BYTES = 4_000;
/** What a heap may differ by from one collection to the next. */
const HEAP_NOISE_BYTES = 3_000_000;
/** However many reloads there are. */
const MAX_HEAP_BYTES = 5_000_000;
/** One module, or a handful of functions, that every reload leaves behind would be far beyond. */
const MAX_MODULES = 5;
const MAX_FUNCTIONS_PER_RELOAD = 2;
/** Timers, sockets, handles of files: as many come and go with requests. */
const MAX_RESOURCES = 10;

/** The pool opens and closes them by need; one more per reload would be far beyond. */
const CONNECTION_NOISE = 2;

const shop = useShop({
  files: PROBE,
  args: ['--no-types', '--', '--expose-gc'],
});
const witness = witnessOf(shop);

/** One save, and how it ends. */
interface Save {
  file: string;
  change(source: string, edit: number): string | undefined;
  result?: 'kept-previous';
}

const body = (source: string, edit: number) =>
  `${source.replace(/\n?void \d+;\n$/, '')}\nvoid ${edit};\n`;
const either =
  (first: string, second: string) =>
  (source: string): string =>
    source.includes(first) ? source.replace(first, second) : source.replace(second, first);

const FRESH = 'src/api/fresh/route.ts';
const SAVES: Save[] = [
  { file: 'src/api/ping/route.ts', change: body },
  { file: 'src/lib/words.ts', change: body },
  { file: 'src/api/validators.ts', change: body },
  { file: 'src/api/error-handler.ts', change: body },
  { file: 'src/modules/brand/index.ts', change: body },
  { file: 'src/api/middlewares.ts', change: either("['POST']", "['POST', 'PUT']") },
  { file: 'src/workflows/make-slogan/steps/praise.ts', change: body },
  { file: 'src/workflows/make-slogan/steps/praise.ts', change: either('praise-step', 'laud') },
  { file: 'src/workflows/create-brand/workflow.ts', change: body },
  { file: 'src/workflows/hooks/products-created.ts', change: body },
  { file: 'src/workflows/hooks/brand-created.ts', change: body },
  { file: 'src/subscribers/brand-created.ts', change: body },
  { file: 'src/subscribers/brand-created.ts', change: either('brand.created', 'brand.made') },
  { file: 'src/jobs/count-brands.ts', change: body },
  { file: 'src/jobs/count-brands.ts', change: either('*/2 * *', '*/3 * *') },
  { file: 'src/jobs/count-brands.ts', change: either("'count-brands'", "'count-all-brands'") },
  { file: 'src/modules/brand/service.ts', change: body },
  { file: 'src/modules/brand/loaders/check-options.ts', change: body },
  { file: 'src/modules/journal-provider/service.ts', change: body },
  { file: 'src/lib/title-case.ts', change: body },
  { file: 'src/data/catalog.json', change: either('24', '240') },
  {
    file: FRESH,
    change: (_, edit) => `export const GET = (_: any, res: any) => res.json(${edit});`,
  },
  { file: FRESH, change: () => undefined },
  {
    file: 'src/workflows/make-slogan/workflow.ts',
    change: (source) => `${source}\nthrow new Error('not today');\n`,
    result: 'kept-previous',
  },
  {
    file: 'src/workflows/make-slogan/workflow.ts',
    change: (source) => source.replace(/\nthrow .*\n$/, ''),
  },
];

let edits = 0;
async function reload(times: number): Promise<void> {
  for (const end = edits + times; edits < end; ) {
    edits++;
    const { file, change, result } = SAVES[edits % SAVES.length] as Save;
    const isThere = file !== FRESH || edits % SAVES.length === SAVES.length - 3;
    const source = isThere && file !== FRESH ? shop.project.read(file) : '';
    const next = change(source, edits);
    const update = await shop.dev.nextUpdate(file, () =>
      next === undefined ? shop.project.remove(file) : shop.project.write(file, next),
    );
    // What follows a broken save may be the very code that serves.
    expect([result ?? 'reloaded', result ?? 'ignored']).toContain(update.result);
  }
}

/** Also what only happens when something is used, and all at once, so that the pool has to be. */
async function use(): Promise<void> {
  const paths = ['/ping', '/slogan', '/shelf', '/describe/a', '/greeting', '/catalog'];
  const answers = await Promise.all([...paths, ...paths].map((path) => shop.dev.get(path)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
}

async function measure(): Promise<Probe> {
  await use();
  await witness.probe({ gc: true });
  return witness.probe({ gc: true });
}

async function connections(): Promise<number> {
  await use();
  const client = new pg.Client({ connectionString: shop.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      'select count(*)::int as count from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    return rows[0].count as number;
  } finally {
    await client.end();
  }
}

test(`${RELOADS} reloads of all kinds leave nothing behind`, {
  timeout: 60_000 + RELOADS * 1500,
}, async () => {
  const { pid } = await shop.stats();
  await reload(1);
  const connectionsBefore = await connections();
  await reload(Math.min(WARM_UP, RELOADS / 2));
  const before = await measure();
  const from = edits;
  await reload(RELOADS - edits);
  // The same saves are in effect as before.
  await reload((SAVES.length * 2 - ((edits - from) % (SAVES.length * 2))) % (SAVES.length * 2));
  const after = await measure();

  expect((await shop.stats()).pid).toBe(pid);
  await expect
    .poll(connections, { timeout: 60_000 })
    .toBeLessThanOrEqual(connectionsBefore + CONNECTION_NOISE);
  expect(after.processListeners).toEqual(before.processListeners);
  expect(after.serverListeners).toEqual(before.serverListeners);
  expect(after.listeners).toEqual(before.listeners);
  expect(after.subscribers).toEqual(before.subscribers);
  expect(after.workflows).toEqual(before.workflows);
  expect(after.schedules).toEqual(before.schedules);
  // A timer is there from the first run of a job on.
  expect(after.pendingTimers).toBeLessThanOrEqual(Object.keys(after.schedules).length);
  const grown = after.memory.heapUsed - before.memory.heapUsed;
  console.log(`after ${from} and ${edits} reloads`, [before, after].map(summary));
  const allowed = (edits - from) * MAX_HEAP_PER_RELOAD_BYTES + HEAP_NOISE_BYTES;
  expect(grown).toBeLessThan(Math.min(allowed, MAX_HEAP_BYTES));
  const [livedBefore, livedAfter] = [before.live, after.live];
  expect((livedAfter?.modules ?? 0) - (livedBefore?.modules ?? 0)).toBeLessThanOrEqual(MAX_MODULES);
  expect((livedAfter?.functions ?? 0) - (livedBefore?.functions ?? 0)).toBeLessThan(
    (edits - from) * MAX_FUNCTIONS_PER_RELOAD + 1_000,
  );
  for (const [kind, count] of Object.entries(after.resources)) {
    expect(count, kind).toBeLessThanOrEqual((before.resources[kind] ?? 0) + MAX_RESOURCES);
  }
});

function summary({ live, memory, resources }: Probe): object {
  return { ...live, heapUsed: memory.heapUsed, resources };
}
