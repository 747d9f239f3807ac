import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from './dev-server.ts';
import type { Probe } from './probe-route.ts';
import { REPOSITORY } from './repository.ts';
import { logIn, type Shop } from './shop.ts';
import { until } from './until.ts';

export interface JournalEntry {
  seq: number;
  at: string;
  by: string;
  version: string;
  note: string;
}

/** A route that looks into the app; for `useShop({ files })`. */
export const PROBE: Record<string, string> = {
  'src/api/probe/route.ts': readFileSync(
    join(REPOSITORY, 'test/e2e/support/probe-route.ts'),
    'utf8',
  ),
};

/** Makes the app work, and asks it for the traces of its work. */
export interface Witness {
  probe(options?: { gc: boolean }): Promise<Probe>;
  /** Everything that is registered with Medusa, for a comparison. */
  registered(): Promise<object>;
  /** The number of the last entry so far. */
  now(): Promise<number>;
  entries(after: number, by?: string): Promise<JournalEntry[]>;
  /** Waits until a file has recorded at least `atLeast` entries. */
  recorded(after: number, by: string, atLeast?: number): Promise<JournalEntry[]>;
  post(path: string, body: unknown): Promise<Answer>;
  /** Posts as a logged-in admin user. */
  postAsAdmin(path: string, body: unknown): Promise<Answer>;
}

export function witnessOf(shop: Shop): Witness {
  let authorization: Record<string, string> | undefined;

  function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    return shop.dev.get(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  const witness: Witness = {
    async probe({ gc } = { gc: false }) {
      return (await shop.dev.get(gc ? '/probe?gc=1' : '/probe')).body as Probe;
    },
    async registered() {
      const { workflows, runners, schedules, subscribers, listeners, processListeners } =
        await witness.probe();
      const sorted = <T>(record: Record<string, T>): [string, T][] =>
        Object.entries(record).sort(([a], [b]) => a.localeCompare(b));
      return {
        workflows: sorted(workflows),
        runners,
        schedules: sorted(schedules),
        subscribers: sorted(subscribers).map(([event, ids]) => [event, ids.sort()]),
        listeners: sorted(listeners),
        processListeners: sorted(processListeners),
      };
    },
    async now() {
      return (await witness.entries(0)).at(-1)?.seq ?? 0;
    },
    async entries(after, by) {
      const query = new URLSearchParams({ after: String(after), ...(by && { by }) });
      const { body } = await shop.dev.get(`/journal?${query}`);
      return (body as { entries: JournalEntry[] }).entries;
    },
    recorded: (after, by, atLeast = 1) =>
      until(
        () => witness.entries(after, by),
        (entries) => entries.length >= atLeast,
      ),
    post: (path, body) => post(path, body),
    async postAsAdmin(path, body) {
      authorization ??= await logIn(shop.dev);
      return post(path, body, authorization);
    },
  };
  return witness;
}
