import type { ServerName } from './bench-server.ts';
import type { AllResults } from './results-file.ts';
import type { EditRow } from './suites/edits.ts';

/** A required value, and the measured one. */
export interface Target {
  name: string;
  limit: string;
  measured: string;
  verdict: 'met' | 'missed' | 'not measured';
}

const HOT = ['route', 'helper', 'step', 'subscriber', 'job'];
/** Edits that are hot in place, but exchange more than a function. */
const REBUILT = ['service', 'middleware', 'new-route'];
/** The generated project to judge has this many routes. */
const THOUSAND_ROUTES = 1_000;

/** All targets, whether the results cover them or not. */
export function targetsOf({ edits, scale, throughput, memory }: AllResults): Target[] {
  const targets: Target[] = [];
  const add = (
    name: string,
    limit: string,
    value: number | undefined,
    { unit, isMet }: { unit: string; isMet(value: number): boolean },
  ) => {
    targets.push(
      value === undefined
        ? { name, limit, measured: '', verdict: 'not measured' }
        : {
            name,
            limit,
            measured: `${round(value)}${unit}`,
            verdict: isMet(value) ? 'met' : 'missed',
          },
    );
  };
  const atMost = (name: string, limit: number, value: number | undefined, unit = ' ms') =>
    add(name, `≤ ${limit}${unit}`, value, { unit, isMet: (value) => value <= limit });
  const atLeast = (name: string, limit: number, value: number | undefined) =>
    add(name, `≥ ${limit} ×`, value, { unit: ' ×', isMet: (value) => value >= limit });
  const rowOf = (kind: string, server: ServerName): EditRow | undefined =>
    edits?.rows.find((row) => row.kind === kind && row.server === server);
  const medianOf = (kind: string, server: ServerName) => rowOf(kind, server)?.ms?.median;
  const ratio = (kind: string, over: ServerName, under: ServerName) => {
    return quotient(medianOf(kind, over), medianOf(kind, under));
  };

  for (const kind of HOT) {
    const title = rowOf(kind, 'vite')?.title ?? `\`${kind}\``;
    atMost(`${title}: median`, 15, medianOf(kind, 'vite'));
    atMost(`${title}: p95`, 40, rowOf(kind, 'vite')?.ms?.p95);
    const hmr = rowOf(kind, 'hmr');
    if (hmr && hmr.outcome !== 'fresh' && medianOf(kind, 'vite') !== undefined) {
      const name = `${title}: faster than Medusa's HMR`;
      targets.push({ name, limit: '≥ 8 ×', measured: 'that never shows it', verdict: 'met' });
    } else {
      atLeast(`${title}: faster than Medusa's HMR`, 8, ratio(kind, 'hmr', 'vite'));
    }
    atLeast(`${title}: faster than Medusa's restart`, 300, ratio(kind, 'develop', 'vite'));
  }
  for (const kind of REBUILT) {
    atMost(`${rowOf(kind, 'vite')?.title ?? `\`${kind}\``}: median`, 60, medianOf(kind, 'vite'));
  }
  const hot = edits?.rows.filter(({ server, kind }) => {
    return server === 'vite' && [...HOT, ...REBUILT].includes(kind);
  });
  const failed = hot?.length
    ? hot.reduce((worst, row) => Math.max(worst, row.failed?.max ?? 0), 0)
    : undefined;
  atMost('Failed requests during any of these', 0, failed, '');
  atMost(
    'Cold start of the shop, to `medusa develop`',
    0.8,
    ratio('cold-start', 'vite', 'develop'),
    ' ×',
  );
  atMost('Restart, to `medusa develop`', 0.3, ratio('restart', 'vite', 'develop'), ' ×');
  atMost('Restart: median', 1000, medianOf('restart', 'vite'));

  const sized = (
    accepts: (row: { files: number; routes: number }) => boolean,
    server: ServerName,
  ) => scale?.rows.find((row) => row.server === server && accepts(row));
  const routes = sized((row) => row.routes === THOUSAND_ROUTES, 'vite');
  atMost('Helper of 1,000 routes: first new answer', 100, routes?.hubFresh?.median);
  atMost('Helper of 1,000 routes: all settled', 2000, routes?.hubSettled?.median);
  const [small, large] = [10, 5_000].map((files) => sized((row) => row.files === files, 'vite'));
  atMost(
    'Leaf edit at 5,000 files, to 10 files',
    1.5,
    quotient(large?.leaf?.median, small?.leaf?.median),
    ' ×',
  );
  const [ours, theirs] = (['vite', 'develop'] as const).map((server) => {
    return sized((row) => row.files === 1_000, server)?.coldStart?.median;
  });
  atMost('Cold start at 1,000 files, to `medusa develop`', 1, quotient(ours, theirs), ' ×');
  for (const { path, connections, ratio } of throughput?.rows ?? []) {
    atLeast(
      `Requests/s of \`${path}\`, ${connections}, to \`medusa develop\``,
      0.95,
      ratio?.median,
    );
  }
  if (!throughput?.rows.length) {
    atLeast('Requests/s, to `medusa develop`', 0.95, undefined);
  }
  const host = memory?.rows.find(({ server, args }) => server === 'vite' && !args);
  atMost('Memory of the host on the shop', 150, host?.afterStart.hostMb, ' MB');
  atMost('Memory of the host on the shop, after reloads', 150, host?.afterReloads?.hostMb, ' MB');
  return targets;
}

function quotient(over: number | undefined, under: number | undefined): number | undefined {
  return over === undefined || under === undefined ? undefined : over / under;
}

function round(value: number): number {
  return value < 100 ? Math.round(value * 100) / 100 : Math.round(value);
}
