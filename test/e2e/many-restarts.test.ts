import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import pg from 'pg';
import { expect, test } from 'vitest';
import { constantLoad } from './support/constant-load.ts';
import { findProcesses } from './support/processes.ts';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';

/** `npm run test:restarts -- --restarts 200` for the long run. */
const RESTARTS = Number(process.env.RESTARTS ?? 8);
/** What a host needs once: caches, compiled code, the first sockets. */
const WARM_UP = 2;
const PER_RESTART_MS = 40_000;
/** V8 collects when it likes: a hundred restarts that each leave a megabyte show all the same. */
const MEMORY_SLACK_MB = 40;
const MEMORY_PER_RESTART_MB = 0.25;
const REQUESTS_PER_SECOND = 20;
/** Far less than one for each restart. */
const HANDLES_SLACK = 8;
const CONNECTIONS_SLACK = 2;
/** The spare may be there, or not yet. */
const APPS_SLACK = 1;
const APP = /child\/main\.js/;

const shop = useShop();

interface Footprint {
  hostMb: number;
  /** Open files and sockets of the host; 0 where the system does not tell. */
  handles: number;
  connections: number;
  /** Of apps, and of the spare. */
  apps: number;
}

async function footprint(): Promise<Footprint> {
  const { pid } = shop.dev;
  const rss = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return {
    hostMb: Math.round(Number(rss) / 1024),
    handles: process.platform === 'linux' ? readdirSync(`/proc/${pid}/fd`).length : 0,
    connections: await connectionCount(),
    apps: findProcesses(pid, APP).length,
  };
}

async function connectionCount(): Promise<number> {
  const client = new pg.Client({ connectionString: shop.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>(
      'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    return Number(rows[0]?.count);
  } finally {
    await client.end();
  }
}

/** Saves, and says what the host holds afterwards. */
async function restart(index: number): Promise<Footprint> {
  const update = await shop.dev.nextUpdate('.env', () =>
    shop.project.write('.env', `SHOP_ROUND=${index}\n`),
  );
  expect(update.result).toBe('restarted');
  const now = await footprint();
  if (process.env.RESTARTS) {
    process.stdout.write(`${JSON.stringify({ restart: index, ...now })}\n`);
  }
  return now;
}

test(
  `${RESTARTS} restarts in a row leave nothing behind, and fail no request`,
  async () => {
    for (let index = 1; index < WARM_UP; index++) {
      await restart(index);
    }
    const before = await restart(WARM_UP);
    const load = constantLoad(shop.dev.url('/ping'), {
      perSecond: REQUESTS_PER_SECOND,
      waitMs: PER_RESTART_MS,
      maxUnderWay: Infinity,
    });
    try {
      for (let index = WARM_UP + 1; index <= RESTARTS; index++) {
        await restart(index);
      }
    } finally {
      expect((await load.stop()).failed).toEqual([]);
    }
    const memoryLimit = before.hostMb + MEMORY_SLACK_MB + RESTARTS * MEMORY_PER_RESTART_MB;
    // The last of the load's connections are just being closed.
    await until(footprint, ({ hostMb, handles, connections, apps }) => {
      return (
        hostMb < memoryLimit &&
        handles <= before.handles + HANDLES_SLACK &&
        connections <= before.connections + CONNECTIONS_SLACK &&
        apps <= before.apps + APPS_SLACK
      );
    });
  },
  60_000 + RESTARTS * PER_RESTART_MS,
);
