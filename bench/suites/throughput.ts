import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { BenchContext } from '../bench-context.ts';
import { BenchServer, SERVER_TITLES, type ServerName } from '../bench-server.ts';
import { type LoadRound, oneShotLoad } from '../one-shot-load.ts';
import { medianOf, type Summary, summarize } from '../statistics.ts';

/** What one route does under load, over connections of one kind. */
export interface ThroughputRow {
  route: string;
  path: string;
  connections: 'keep-alive' | 'one-shot';
  servers: Record<'develop' | 'vite', Load>;
  /** Of requests per second, round by round, ours to Medusa's. */
  ratio: Summary | null;
}

export interface Load {
  requestsPerSecond: Summary | null;
  /** Milliseconds; the median of the rounds. */
  latencyMedian: number;
  latencyP99: number;
  /** Not answered, or not with 200. */
  failed: number;
}

type Compared = keyof ThroughputRow['servers'];

const ROUTES = [
  { route: 'Trivial', path: '/ping' },
  { route: 'Queries the database', path: '/shelf' },
];
const KINDS = ['keep-alive', 'one-shot'] as const;
const SERVERS: Compared[] = ['develop', 'vite'];
const ROUNDS = 5;
const CONNECTIONS = 10;
/** For a round that nobody answered. */
const MAX_TRIES = 10;
/** A round that nobody counts: Node compiles what is hot. */
const WARM_UP_SECONDS = 2;
/** Sockets of the round before are closed by then. */
const REST_MS = 300;

/** Both servers are up all the time, and loaded in turn, so that what else the machine does hits both. */
export async function measureThroughput(context: BenchContext): Promise<ThroughputRow[]> {
  const { shop } = context;
  // Two servers would run it twice as often as one.
  shop.remove('src/jobs/count-brands.ts');
  const rows: ThroughputRow[] = [];
  const servers = new Map<Compared, BenchServer>();
  try {
    for (const name of SERVERS) {
      servers.set(name, await start(name, context));
    }
    for (const { route, path } of ROUTES) {
      for (const connections of KINDS) {
        const rounds = await measureRounds(servers, { path, connections }, context);
        const row = toRow({ route, path, connections }, rounds);
        rows.push(row);
        const perSecond = SERVERS.map((name) => {
          return `${SERVER_TITLES[name]} ${row.servers[name].requestsPerSecond?.median}`;
        });
        context.log(`${path}, ${connections}, requests/s: ${perSecond.join(', ')}`);
      }
    }
  } finally {
    for (const server of servers.values()) {
      await server.stop();
    }
    shop.restore();
  }
  return rows;
}

async function measureRounds(
  servers: Map<Compared, BenchServer>,
  target: Pick<ThroughputRow, 'path' | 'connections'>,
  { options }: BenchContext,
): Promise<Map<Compared, LoadRound[]>> {
  const rounds = new Map<Compared, LoadRound[]>(SERVERS.map((name) => [name, []]));
  for (const server of servers.values()) {
    await load(server, target, options.isQuick ? 1 : WARM_UP_SECONDS);
  }
  const count = options.isQuick ? 1 : ROUNDS;
  for (let round = 0; round < count; round++) {
    // The one that came first comes last in the next round.
    for (const [name, server] of round % 2 === 0 ? [...servers] : [...servers].reverse()) {
      rounds.get(name)?.push(await load(server, target, options.loadSeconds));
    }
  }
  return rounds;
}

async function load(
  server: BenchServer,
  { path, connections }: Pick<ThroughputRow, 'path' | 'connections'>,
  seconds: number,
): Promise<LoadRound> {
  await delay(REST_MS);
  const url = `http://localhost:${server.http.port}${path}`;
  if (connections === 'one-shot') {
    return oneShotLoad(url, { connections: CONNECTIONS, seconds });
  }
  let result = await autocannon({ url, connections: CONNECTIONS, duration: seconds });
  // An app writes its types a moment after its start, and answers nobody meanwhile.
  for (let tries = 1; tries < MAX_TRIES && result.requests.total === 0; tries++) {
    result = await autocannon({ url, connections: CONNECTIONS, duration: seconds });
  }
  return {
    requestsPerSecond: result.requests.average,
    latencyMedian: result.latency.p50,
    latencyP99: result.latency.p99,
    failed: result.errors + result.non2xx,
  };
}

function toRow(
  row: Pick<ThroughputRow, 'route' | 'path' | 'connections'>,
  rounds: Map<Compared, LoadRound[]>,
): ThroughputRow {
  const theirs = rounds.get('develop') ?? [];
  const ours = rounds.get('vite') ?? [];
  return {
    ...row,
    servers: { develop: toLoad(theirs), vite: toLoad(ours) },
    ratio: summarize(
      ours.flatMap(({ requestsPerSecond }, index) => {
        const other = theirs[index]?.requestsPerSecond ?? 0;
        return other > 0 ? requestsPerSecond / other : [];
      }),
    ),
  };
}

function toLoad(rounds: LoadRound[]): Load {
  return {
    requestsPerSecond: summarize(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
    latencyMedian: medianOf(rounds.map(({ latencyMedian }) => latencyMedian)),
    latencyP99: medianOf(rounds.map(({ latencyP99 }) => latencyP99)),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  };
}

function start(name: ServerName, { shop, databaseUrl, cli }: BenchContext): Promise<BenchServer> {
  return BenchServer.start({ name, root: shop.root, databaseUrl, cli });
}
