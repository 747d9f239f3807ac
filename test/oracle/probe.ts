import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { MEDUSA_VERSION } from '../e2e/support/other-medusa.ts';
import { ROUTES } from './model.ts';
import { POSTED } from './prediction.ts';

/** Everything that two apps with the same files must agree about. */
export type Probe = Record<string, unknown>;

export interface HttpAnswer {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

export interface ProbeTarget {
  url(path: string): string;
  headers: Record<string, string>;
}

const REQUEST_WAIT_MS = 20_000;
/** This Medusa loads the folders of the API side by side: whose routes come first differs from start to start. */
const HAS_RANDOM_ROUTE_ORDER = MEDUSA_VERSION === '2.12.1';
const HEADERS = /^(?:x-shop|x-oracle-.*|access-control-.*|content-type|vary)$/;

/** Collects the answers of the model's files, and all registrations; if `full`, also runs the shop's own code. */
export async function probe(
  target: ProbeTarget,
  { full = false }: { full?: boolean } = {},
): Promise<Probe> {
  const result: Probe = {};
  const registered = await ask(target, `/oracle-probe${full ? '?full=1' : ''}`);
  if (registered.status !== 200) {
    result['GET /oracle-probe'] = registered;
    return result;
  }
  Object.assign(result, normalise(registered.body));
  if (HAS_RANDOM_ROUTE_ORDER && Array.isArray(result.routes)) {
    result.routes.sort();
  }
  const body = JSON.stringify({ n: POSTED });
  const post = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  const requests: [key: string, path: string, init?: RequestInit & { token?: boolean }][] = [];
  for (const name of ROUTES) {
    for (const suffix of ['', '/7']) {
      const path = `/oracle/${name}${suffix}`;
      requests.push([`GET ${path}`, path], [`POST ${path}`, path, post]);
      requests.push([`GET /admin${path}`, `/admin${path}`]);
      requests.push([`GET /admin${path} (token)`, `/admin${path}`, { token: true }]);
    }
  }
  requests.push(['GET /ping', '/ping'], ['GET /greeting', '/greeting?name=ada']);
  if (full) {
    for (const path of FULL) {
      requests.push([`GET ${path}`, path, { token: true }]);
    }
    for (const id of ['x', 'a'.repeat(50), 'a'.repeat(150), 'a'.repeat(250)]) {
      const announcement = { ...post, body: JSON.stringify({ brand_id: id }) };
      requests.push([`POST /announce ${id.length}`, '/announce', announcement]);
    }
  }
  await Promise.all(
    requests.map(async ([key, path, init]) => {
      result[key] = await ask(target, path, init);
    }),
  );
  if (full) {
    result['a new brand'] = await createBrand(target);
  }
  return result;
}

const FULL = [
  '/catalog',
  '/slogan?name=ada',
  '/describe/some%20thing',
  '/env?key=SHOP_TAGLINE',
  '/shelf',
  '/store/brands',
  '/store/brands/acme',
  '/refund',
  '/admin/status',
  '/admin/brands',
  '/admin/products?fields=handle',
  '/store/products?fields=handle',
  '/nothing',
  '/health',
];

async function ask(
  { url, headers }: ProbeTarget,
  path: string,
  { token = false, ...init }: RequestInit & { token?: boolean } = {},
): Promise<HttpAnswer> {
  const { authorization = '', ...others } = headers;
  const response = await fetch(url(path), {
    redirect: 'manual',
    signal: AbortSignal.timeout(REQUEST_WAIT_MS),
    ...init,
    headers: {
      ...others,
      origin: 'http://localhost:8000',
      ...(token && { authorization }),
      ...(init.headers as Record<string, string>),
    },
  });
  const text = await response.text();
  return {
    status: response.status,
    body: normalise(parse(text)),
    headers: Object.fromEntries([...response.headers].filter(([name]) => HEADERS.test(name))),
  };
}

const JOURNAL_WAIT_MS = 20_000;

/** Creates a brand: by a workflow, its hook, an event, its subscriber and a notification provider. */
async function createBrand(target: ProbeTarget): Promise<unknown> {
  const lastSeq = async () => (await journal(target, 0)).at(-1)?.seq ?? 0;
  const before = await lastSeq();
  const created = await fetch(target.url('/admin/brands'), {
    method: 'POST',
    body: JSON.stringify({ name: 'brand of the oracle' }),
    headers: { ...target.headers, 'content-type': 'application/json' },
  });
  const body = (await created.json()) as { brand?: { id: string } };
  // A refused brand causes no notification.
  const deadline = Date.now() + (created.ok ? JOURNAL_WAIT_MS : 0);
  let entries: JournalEntry[];
  do {
    await delay(10);
    entries = await journal(target, before);
  } while (!entries.some(({ by }) => /journal-provider/.test(by)) && Date.now() < deadline);
  if (body.brand) {
    await fetch(target.url(`/admin/brands/${body.brand.id}`), {
      method: 'DELETE',
      headers: target.headers,
    });
  }
  return {
    status: created.status,
    body: normalise(body),
    journal: entries
      .filter(({ by }) => !/jobs|loaders/.test(by))
      .map(({ seq: _, at: __, ...entry }) => inspect(normalise(entry)))
      .sort(),
  };
}

interface JournalEntry {
  seq: number;
  at: string;
  by: string;
}

async function journal(target: ProbeTarget, after: number): Promise<JournalEntry[]> {
  const response = await fetch(target.url(`/journal?after=${after}`), { headers: target.headers });
  return ((await response.json()) as { entries: JournalEntry[] }).entries;
}

/** Replaces ids and times, which differ each time. */
function normalise(value: unknown): unknown {
  return parse(
    JSON.stringify(value ?? null)
      .replaceAll(/\b([a-z]+)_[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1_#')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '#'),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** One or two lines for each key with different values. */
export function differences(
  expected: Record<string, unknown>,
  actual: Record<string, unknown>,
): string[] {
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].sort();
  return keys.flatMap((key) => {
    const before = show(expected[key]);
    const after = show(actual[key]);
    if (before === after) {
      return [];
    }
    if (Array.isArray(expected[key]) && Array.isArray(actual[key])) {
      const missing = without(expected[key], actual[key]);
      const surplus = without(actual[key], expected[key]);
      if (missing.length + surplus.length > 0) {
        return [`${key}\n  missing: ${missing.join(' · ')}\n  surplus: ${surplus.join(' · ')}`];
      }
    }
    return [`${key}\n  expected: ${before}\n  answered: ${after}`];
  });
}

function without(items: unknown[], others: unknown[]): string[] {
  const known = new Set(others.map(show));
  return items.map(show).filter((text) => !known.has(text));
}

function show(value: unknown): string {
  return inspect(value, { depth: 8, breakLength: Infinity, sorted: true, maxArrayLength: null });
}
