import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import pg from 'pg';
import { expect, test } from 'vitest';
import { constantLoad } from './support/constant-load.ts';
import { processTree } from './support/processes.ts';
import { useShop } from './support/shop.ts';

/** `npm run test:restarts -- --restarts 200` for the long run. */
const RESTARTS = Number(process.env.RESTARTS ?? 6);
/** What a host needs once: caches, compiled code, the first sockets. */
const WARM_UP = 2;
const PER_RESTART_MS = 40_000;
/** V8 collects when it likes: a hundred restarts that each leave a megabyte show all the same. */
const MEMORY_SLACK_MB = 40;
const MEMORY_PER_RESTART_MB = 0.25;
const REQUESTS_PER_SECOND = 20;

const shop = useShop({ env: { DISABLE_MEDUSA_ADMIN: 'true' } });

interface Footprint {
  hostMb: number;
  /** Open files and sockets of the host; 0 where the system does not tell. */
  handles: number;
  connections: number;
  processes: number;
}

async function footprint(): Promise<Footprint> {
  const { pid } = shop.dev;
  const rss = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return {
    hostMb: Math.round(Number(rss) / 1024),
    handles: process.platform === 'linux' ? readdirSync(`/proc/${pid}/fd`).length : 0,
    connections: await connectionCount(),
    processes: processTree(pid).length,
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

test(
  `${RESTARTS} restarts in a row leave nothing behind, and fail no request`,
  async () => {
    const load = constantLoad(shop.dev.url('/ping'), {
      perSecond: REQUESTS_PER_SECOND,
      waitMs: PER_RESTART_MS,
    });
    const footprints: Footprint[] = [];
    try {
      for (let index = 0; index < RESTARTS; index++) {
        const update = await shop.dev.nextUpdate('.env', () =>
          shop.project.write('.env', `SHOP_ROUND=${index}\n`),
        );
        expect(update.result).toBe('restarted');
        footprints.push(await footprint());
        if (process.env.RESTARTS) {
          console.log(index + 1, JSON.stringify({ ...update, ...footprints.at(-1) }));
        }
      }
    } finally {
      expect((await load.stop()).failed).toEqual([]);
    }
    const first = footprints[Math.min(WARM_UP, RESTARTS - 1)] as Footprint;
    const last = footprints.at(-1) as Footprint;
    const memoryLimit = first.hostMb + MEMORY_SLACK_MB + RESTARTS * MEMORY_PER_RESTART_MB;
    expect(last.hostMb).toBeLessThan(memoryLimit);
    // Connections of the load that come and go.
    expect(last.handles).toBeLessThan(first.handles + 12);
    expect(last.connections).toBeLessThan(first.connections + 6);
    expect(last.processes).toBe(first.processes);
  },
  60_000 + RESTARTS * PER_RESTART_MS,
);
