import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import { BenchServer, type Memory, SERVER_TITLES, type ServerName } from '../bench-server.ts';
import { sampleEdit } from '../edit-sample.ts';
import { type GeneratedProject, generateProject, HUB } from '../generated-project.ts';
import { type Summary, summarize } from '../statistics.ts';

/** One server on a project of one size. */
export interface ScaleRow {
  files: number;
  routes: number;
  workflows: number;
  modules: number;
  server: ServerName;
  coldStart: Summary | null;
  /** A route's own file, another one each time: from the write to the first answer of new code. */
  leaf: Summary | null;
  /** The helper that every file imports: to the first answer of new code. */
  hubFresh: Summary | null;
  /** The same, until the update is reported and the last route answers with new code. */
  hubSettled: Summary | null;
  /** How the edits of the helper ended, e.g. `reloaded`. */
  hubResults: string[];
  failed: number;
  /** After all edits. */
  memory: Memory | null;
}

/** Where `medusa develop` is started as well. */
const COMPARED_FILES = 1_000;
const MAX_COLD_STARTS = 3;
/** For what a server does behind its first answer; a watcher has to find thousands of files. */
const REST_MS = 3_000;
const LIMIT_MS = 60_000;
/** Steps over the routes, so that one edit after another is far from the last. */
const STRIDE = 37;

export async function measureScale(context: BenchContext): Promise<ScaleRow[]> {
  const rows: ScaleRow[] = [];
  for (const files of context.options.sizes) {
    const generated = generateProject(files);
    try {
      rows.push(...(await measureSize(generated, context)));
    } finally {
      generated.project.dispose();
    }
  }
  return rows;
}

async function measureSize(
  generated: GeneratedProject,
  context: BenchContext,
): Promise<ScaleRow[]> {
  const { options, log } = context;
  const { files, routes, workflows, modules } = generated;
  const servers: ServerName[] = files === COMPARED_FILES ? ['develop', 'vite'] : ['vite'];
  const boots = new Map<ServerName, number[]>(servers.map((server) => [server, []]));
  const rounds = Math.min(MAX_COLD_STARTS, options.slowSamples);
  let measured = NOTHING;
  for (let round = 0; round < rounds; round++) {
    for (const name of servers) {
      const server = await start(name, generated, context);
      try {
        boots.get(name)?.push(server.bootMs);
        log(`${files} files, cold start, ${SERVER_TITLES[name]}: ${Math.round(server.bootMs)} ms`);
        if (name === 'vite' && round === rounds - 1) {
          measured = await measureEdits(server, generated, context);
        }
      } finally {
        await server.stop();
      }
    }
  }
  return servers.map((server) => ({
    files,
    routes,
    workflows,
    modules,
    server,
    coldStart: summarize(boots.get(server) ?? []),
    ...(server === 'vite' ? measured : NOTHING),
  }));
}

type Measured = Pick<
  ScaleRow,
  'leaf' | 'hubFresh' | 'hubSettled' | 'hubResults' | 'failed' | 'memory'
>;

const NOTHING: Measured = {
  leaf: null,
  hubFresh: null,
  hubSettled: null,
  hubResults: [],
  failed: 0,
  memory: null,
};

async function measureEdits(
  server: BenchServer,
  generated: GeneratedProject,
  { options, log }: BenchContext,
): Promise<Measured> {
  const { project, routes, route, files } = generated;
  await delay(REST_MS);
  let failed = 0;
  const leaf: number[] = [];
  for (let index = 0; index < options.samples; index++) {
    const { file, path } = route((index * STRIDE) % routes);
    const version = `leaf${index}x`;
    const next = project.read(file).replace(/leaf: '\w+'/, `leaf: '${version}'`);
    const sample = await sampleEdit(() => project.write(file, next), {
      http: server.http,
      probe: { path, isFresh: (text) => text.includes(version) },
      staleLimitMs: LIMIT_MS,
      downLimitMs: LIMIT_MS,
    });
    failed += sample.failed;
    leaf.push(sample.ms ?? Number.POSITIVE_INFINITY);
  }
  log(`${files} files, leaf edit: ${summarize(leaf)?.median} ms`);

  const fresh: number[] = [];
  const settled: number[] = [];
  const results: string[] = [];
  for (let index = 0; index < options.slowSamples; index++) {
    const version = `hub${index}x`;
    const isFresh = (text: string) => text.includes(version);
    const since = server.events.length;
    const startedAt = performance.now();
    const sample = await sampleEdit(
      () => project.write(HUB, `export const hub = (): string => '${version}';\n`),
      {
        http: server.http,
        probe: { path: route(0).path, isFresh },
        staleLimitMs: LIMIT_MS,
        downLimitMs: LIMIT_MS,
        aftermathMs: 0,
      },
    );
    failed += sample.failed;
    fresh.push(sample.ms ?? Number.POSITIVE_INFINITY);
    let update = server.update(since, HUB);
    while (!update || !isFresh((await server.http.get(route(routes - 1).path)).text)) {
      if (performance.now() - startedAt > LIMIT_MS) {
        throw new Error(`An edit of the helper did not settle:\n${server.logTail}`);
      }
      await delay(1);
      update = server.update(since, HUB);
    }
    settled.push(performance.now() - startedAt);
    results.push(update.result);
    await delay(REST_MS / 10);
  }
  log(
    `${files} files, edit of the helper: fresh ${summarize(fresh)?.median} ms, settled ${summarize(settled)?.median} ms`,
  );
  return {
    leaf: summarize(leaf),
    hubFresh: summarize(fresh),
    hubSettled: summarize(settled),
    hubResults: [...new Set(results)],
    failed,
    memory: server.memory(),
  };
}

function start(
  name: ServerName,
  { project, route }: GeneratedProject,
  { databaseUrl, cli }: BenchContext,
): Promise<BenchServer> {
  return BenchServer.start({ name, root: project.root, databaseUrl, cli }, route(0).path);
}
