import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext } from '../bench-context.ts';
import { BenchServer, type Memory, SERVER_TITLES, type ServerName } from '../bench-server.ts';
import { EDIT_KINDS, type EditKind, prepareEdit } from '../edit-kinds.ts';
import { sampleEdit } from '../edit-sample.ts';

/** Resident memory of one server on the shop. */
export interface MemoryRow {
  server: ServerName;
  /** What it was started with besides; empty for nothing. */
  args: string;
  afterStart: Memory;
  /** Null where reloads are restarts. */
  afterReloads: Memory | null;
  reloads: number;
}

/** What a server does behind its first answer: write types, make ready what a restart will need. */
const REST_MS = 5_000;
const RELOADS = 100;
const LIMIT_MS = 20_000;

export async function measureMemory(context: BenchContext): Promise<MemoryRow[]> {
  const { shop, options, databaseUrl, cli, log } = context;
  const reloads = options.isQuick ? 1 : RELOADS;
  const restMs = options.isQuick ? 0 : REST_MS;
  const rows: MemoryRow[] = [];
  const variants = options.servers.flatMap((name) =>
    (name === 'vite' ? ['', '--no-spare'] : ['']).map((args) => ({ name, args })),
  );
  for (const { name, args } of variants) {
    const server = await BenchServer.start({
      name,
      root: shop.root,
      databaseUrl,
      cli,
      args: args ? [args] : [],
    });
    try {
      await delay(restMs);
      const afterStart = server.memory();
      let afterReloads: Memory | null = null;
      if (name !== 'develop') {
        await reload(server, reloads, context);
        await delay(restMs);
        afterReloads = server.memory();
      }
      rows.push({ server: name, args, afterStart, afterReloads, reloads });
      log(
        `${SERVER_TITLES[name]} ${args}, MB: ${JSON.stringify(afterStart)}, after reloads ${JSON.stringify(afterReloads)}`,
      );
    } finally {
      await server.stop();
      shop.restore();
    }
  }
  return rows;
}

/** Of a kind that each of them can do. */
async function reload(server: BenchServer, times: number, { shop }: BenchContext): Promise<void> {
  const kind = EDIT_KINDS.find(({ id }) => id === 'subscriber') as EditKind;
  for (let index = 0; index < times; index++) {
    const edit = prepareEdit(kind, shop, `memory${index}x`);
    await sampleEdit(edit.save, {
      http: server.http,
      probe: edit.probe,
      staleLimitMs: LIMIT_MS,
      downLimitMs: LIMIT_MS,
      aftermathMs: 80,
    });
  }
}
