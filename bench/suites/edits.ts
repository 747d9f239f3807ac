import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import { BenchServer, SERVER_TITLES, type ServerName } from '../bench-server.ts';
import { EDIT_KINDS, type EditKind, prepareEdit } from '../edit-kinds.ts';
import { type EditSample, sampleEdit, sampleTypo } from '../edit-sample.ts';
import { type Summary, summarize } from '../statistics.ts';

/** What one server does with one kind of edit. */
export interface EditRow {
  kind: string;
  title: string;
  server: ServerName;
  /** `stale`: goes on with old code. `down`: does not come back by itself. */
  outcome: 'fresh' | 'stale' | 'down';
  /** From the write to the first answer of new code. */
  ms: Summary | null;
  /** Failed requests of one edit. */
  failed: Summary | null;
  /** How long requests failed, of one edit. */
  downMs: Summary | null;
  /** Answers of old code after one of new code, of all edits. */
  stale: number;
  /** How long nothing was saved or asked before each sample: as long for every server. */
  pauseMs: number;
  /** The question alone, in ms: what of the time above is that of the answer. */
  answerMs: Summary | null;
  /** Of a typo: whether the app answered all the time. */
  survived?: boolean;
  samples: (number | null)[];
}

/** A restart takes 4 s, on a busy machine some more. */
const STALE_LIMIT_MS = 12_000;
const QUICK_STALE_LIMIT_MS = 2_500;
/** Medusa's HMR needs 33 s to notice that a broken file was mended. */
const DOWN_LIMIT_MS = 45_000;
/** How long it takes to see that something is broken, and to mend it. */
const BROKEN_MS = 6_000;
const QUICK_BROKEN_MS = 1_000;
/** Who takes longer is measured less often. */
const SLOW_MS = 1_000;
/** Who cannot do it will not do it the third time. */
const UNABLE_SAMPLES = 2;
/** Before each save that can only restart: a person has read what the last one has brought, and edits. */
const PAUSE_MS = 5_000;
const QUICK_PAUSE_MS = 100;
/** After a start, for what a server does behind its first answer: write types, start the watcher. */
const REST_MS = 1_500;

/** The three servers in turn, on the same project and database. */
export async function measureEdits(context: BenchContext): Promise<EditRow[]> {
  const rows = await measureColdStarts(context);
  const { options, shop } = context;
  const kinds = EDIT_KINDS.filter(({ id }) => options.kinds.includes(id));
  for (const server of options.servers) {
    try {
      await measureServer(server, { kinds, rows, context });
    } catch (error) {
      // The rows that are missing are named at the end of the run.
      context.log(`${SERVER_TITLES[server]} is given up: ${error}`);
    }
    shop.restore();
  }
  return rows;
}

/** In turn, so that what the machine does besides hits all of them. */
async function measureColdStarts(context: BenchContext): Promise<EditRow[]> {
  const { servers, slowSamples } = context.options;
  const times = new Map<ServerName, number[]>(servers.map((server) => [server, []]));
  for (let round = 0; round < slowSamples; round++) {
    for (const name of servers) {
      const server = await start(name, context);
      times.get(name)?.push(server.bootMs);
      context.log(`cold start, ${SERVER_TITLES[name]}: ${Math.round(server.bootMs)} ms`);
      await server.stop();
    }
  }
  return servers.map((server) => {
    const samples = times.get(server) ?? [];
    return {
      kind: 'cold-start',
      title: 'Cold start',
      server,
      outcome: 'fresh',
      ms: summarize(samples),
      failed: null,
      downMs: null,
      stale: 0,
      pauseMs: 0,
      answerMs: null,
      samples,
    };
  });
}

async function measureServer(
  name: ServerName,
  { kinds, rows, context }: { kinds: EditKind[]; rows: EditRow[]; context: BenchContext },
): Promise<void> {
  let server = await start(name, context);
  try {
    for (const kind of kinds) {
      await delay(REST_MS);
      const pauseMs = pauseBefore(kind, context.options.isQuick);
      const samples = await measureKind(kind, server, { ...context, pauseMs });
      const row = toRow(kind, name, { samples, pauseMs });
      rows.push(row);
      context.log(`${kind.id}, ${SERVER_TITLES[name]}: ${describe(row)}`);
      if (!(await isIntact(server))) {
        context.log(`${SERVER_TITLES[name]} is started anew`);
        await server.stop();
        server = await start(name, context);
      }
    }
  } finally {
    await server.stop();
  }
}

let versions = 0;

function pauseBefore({ isRare }: EditKind, isQuick: boolean): number {
  if (!isRare) {
    return 0;
  }
  return isQuick ? QUICK_PAUSE_MS : PAUSE_MS;
}

async function measureKind(
  kind: EditKind,
  server: BenchServer,
  { options, shop, pauseMs }: BenchContext & { pauseMs: number },
): Promise<EditSample[]> {
  const samples: EditSample[] = [];
  const isDone = () => {
    const unable = samples.filter(({ outcome }) => outcome !== 'fresh').length;
    const slow = samples.filter(({ ms }) => ms !== undefined && ms > SLOW_MS).length;
    const isSlow = kind.isTypo || slow > samples.length / 2;
    return (
      samples.length >= options.samples ||
      unable >= Math.min(UNABLE_SAMPLES, options.slowSamples) ||
      (isSlow && samples.length >= options.slowSamples)
    );
  };
  while (!isDone()) {
    await delay(pauseMs);
    const edit = prepareEdit(kind, shop, nextVersion());
    const sampleOptions = {
      http: server.http,
      probe: edit.probe,
      staleLimitMs: options.isQuick ? QUICK_STALE_LIMIT_MS : STALE_LIMIT_MS,
      downLimitMs: DOWN_LIMIT_MS,
    };
    const brokenMs = options.isQuick ? QUICK_BROKEN_MS : BROKEN_MS;
    samples.push(
      kind.isTypo
        ? await sampleTypo({ broken: edit.saveBroken, fixed: edit.save, brokenMs }, sampleOptions)
        : await sampleEdit(edit.save, sampleOptions),
    );
  }
  return samples;
}

/** Never the beginning of another one. */
function nextVersion(): string {
  versions++;
  return `edit${String(versions).padStart(5, '0')}x`;
}

function toRow(
  kind: EditKind,
  server: ServerName,
  { samples, pauseMs }: { samples: EditSample[]; pauseMs: number },
): EditRow {
  const times = samples.flatMap(({ ms }) => ms ?? []);
  const unable = samples.filter(({ outcome }) => outcome !== 'fresh');
  const survived = samples.every((sample) => 'survived' in sample && sample.survived === true);
  return {
    kind: kind.id,
    title: kind.title,
    server,
    outcome: times.length > unable.length ? 'fresh' : (unable[0]?.outcome ?? 'fresh'),
    ms: summarize(times),
    failed: summarize(samples.map(({ failed }) => failed)),
    downMs: summarize(samples.map(({ downMs }) => downMs)),
    stale: samples.reduce((sum, { stale }) => sum + stale, 0),
    pauseMs,
    answerMs: summarize(samples.flatMap(({ answerMs }) => answerMs ?? [])),
    ...(kind.isTypo && { survived }),
    samples: samples.map(({ ms }) => (ms === undefined ? null : Math.round(ms * 100) / 100)),
  };
}

function describe({ outcome, ms, failed, stale }: EditRow): string {
  const time = ms ? `${ms.median} ms (${ms.min} to ${ms.max}, ${ms.count} samples)` : 'never';
  return `${outcome}, ${time}, ${failed?.median ?? 0} failed per edit, ${stale} stale`;
}

/** Some edits leave Medusa's HMR with less of an app than before. */
async function isIntact(server: BenchServer): Promise<boolean> {
  const answers = [await server.http.get('/ping'), await server.http.get('/health')];
  return answers.every(({ status }) => status === 200);
}

function start(name: ServerName, { shop, databaseUrl, cli }: BenchContext): Promise<BenchServer> {
  return BenchServer.start({ name, root: shop.root, databaseUrl, cli });
}
