import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';
import { type ConstantLoad, constantLoad } from './constant-load.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import {
  type Answer,
  type DevServer,
  type DevServerOptions,
  startDevServer,
  type UpdateEvent,
} from './dev-server.ts';
import { createProject, type Project, type ProjectOptions } from './project.ts';
import { until } from './until.ts';

/** The answer of the shop's `GET /stats`. */
export interface Stats {
  pid: number;
  heap_used: number;
  evaluations: Record<string, number>;
}

export interface Shop {
  readonly project: Project;
  readonly dev: DevServer;
  readonly databaseUrl: string;
  stats(): Promise<Stats>;
  /** Answers of the core API and the dashboard to a logged-in user. */
  core(): Promise<Record<string, Pick<Answer, 'status' | 'text'>>>;
  /**
   * Proves that a change is hot: until it has arrived and `change` ends, no request failed, the process
   * stayed the same, and only the given files were evaluated, once each.
   */
  hot(evaluated: string[], change: () => Promise<void>): Promise<void>;
  /**
   * Proves that a change restarts the app: no request failed meanwhile, and the process is another one.
   * @returns the only update of that time
   */
  restarted(change: () => Promise<unknown>): Promise<RestartedEvent>;
  /** Waits until the path answers with this body. */
  answers(path: string, body: unknown): Promise<void>;
}

export interface ShopOptions {
  /** Whether routes answer. @default true */
  hasApi?: boolean;
  /** Whether there is a dashboard; its Vite bundles packages after each start of a server. @default false */
  hasAdmin?: boolean;
}

export type RestartedEvent = Extract<UpdateEvent, { result: 'restarted' }>;

/** Read by the shop's config. */
const WITHOUT_ADMIN = { DISABLE_MEDUSA_ADMIN: 'true' };
/** The host lets a connection wait for 30 s. */
const RESTART_WAIT_MS = 35_000;
/** A request every 20 ms: no swap of code fits between two. */
const LOAD_PER_SECOND = 50;

/** One project, database and dev server for a test file; each test's changes are undone. */
export function useShop(
  options: ProjectOptions & Omit<DevServerOptions, 'databaseUrl'> & ShopOptions = {},
): Shop {
  let database: TestDatabase | undefined;
  let project: Project | undefined;
  let dev: DevServer | undefined;
  let mark = 0;

  beforeAll(async () => {
    database = await createDatabase();
    project = createProject(options);
    const env = { ...(!options.hasAdmin && WITHOUT_ADMIN), ...options.env };
    dev = await startDevServer(project, { ...options, env, databaseUrl: database.url });
  });

  beforeEach(() => {
    shop.dev.showOutputOnFailure();
    mark = shop.dev.mark();
  });

  afterEach(async () => {
    const before = shop.dev.mark();
    for (const file of shop.project.restore()) {
      await shop.dev.updateSince(before, file);
    }
    if (options.hasApi !== false) {
      await until(() => shop.dev.get('/ping'), isPong);
    }
    expect(shop.dev.strayLines).toEqual([]);
  });

  afterAll(async () => {
    try {
      await dev?.stop();
    } finally {
      project?.dispose();
      await database?.drop();
    }
  });

  const shop: Shop = {
    get project() {
      return assertStarted(project);
    },
    get dev() {
      return assertStarted(dev);
    },
    get databaseUrl() {
      return assertStarted(database).url;
    },
    async stats() {
      return (await shop.dev.get('/stats')).body as Stats;
    },
    async core() {
      const headers = await logIn(shop.dev);
      const paths = ['/health', '/app', '/admin/products', '/store/products', '/admin/status'];
      const answers = paths.map(async (path) => {
        const { status, text } = await shop.dev.get(path, { headers });
        return [path, { status, text }] as const;
      });
      return Object.fromEntries(await Promise.all(answers));
    },
    async hot(evaluated, change) {
      const before = await shop.stats();
      const load = constantLoad(shop.dev.url('/stats'), { perSecond: LOAD_PER_SECOND });
      await endingLoad(load, change);
      const after = await shop.stats();
      expect(after.pid).toBe(before.pid);
      expect(difference(before.evaluations, after.evaluations)).toEqual(
        Object.fromEntries(evaluated.map((file) => [file, 1])),
      );
      const updates = shop.dev.updatesSince(mark);
      expect(updates.filter(({ result }) => result === 'restarted')).toEqual([]);
    },
    async restarted(change) {
      const { pid } = await shop.stats();
      const before = shop.dev.mark();
      const load = constantLoad(shop.dev.url('/ping'), {
        perSecond: LOAD_PER_SECOND,
        waitMs: RESTART_WAIT_MS,
      });
      await endingLoad(load, async () => {
        await change();
        await until(
          async () => (await shop.stats()).pid,
          (now) => now !== undefined && now !== pid,
        );
      });
      const updates = shop.dev.updatesSince(before);
      expect(updates).toMatchObject([{ result: 'restarted' }]);
      return updates[0] as RestartedEvent;
    },
    async answers(path, body) {
      await until(
        () => shop.dev.get(path),
        (answer) => isSame(answer.body, body),
      );
    },
  };
  return shop;
}

/** Enough requests for both kinds of connection. */
const REQUESTS_AFTER_CHANGE = 4;

async function endingLoad(load: ConstantLoad, change: () => Promise<void>): Promise<void> {
  try {
    await change();
    const { total } = load;
    await until(
      () => load.total,
      (now) => now >= total + REQUESTS_AFTER_CHANGE,
    );
  } finally {
    expect((await load.stop()).failed).toEqual([]);
  }
}

export async function logIn(dev: DevServer): Promise<Record<string, string>> {
  const { body } = await dev.get('/auth/user/emailpass', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@shop.test', password: 'supersecret' }),
  });
  const { token } = body as { token: string };
  return {
    authorization: `Bearer ${token}`,
    'x-publishable-api-key': inject('publishableKey'),
  };
}

function isPong({ body }: Answer): boolean {
  return isSame(body, { ping: 'pong' });
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function difference(
  before: Record<string, number>,
  after: Record<string, number>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([file, count]) => [file, count - (before[file] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );
}

function assertStarted<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new Error('The shop starts in `beforeAll`; this is too early.');
  }
  return value;
}
