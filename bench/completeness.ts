import type { BenchOptions, SuiteName } from './bench-options.ts';
import type { Rows } from './results-file.ts';

/** Lists the missing results; a run that lost a server on its way must not look complete. */
export function missingRows(
  suite: SuiteName,
  rows: Rows[SuiteName],
  options: Pick<BenchOptions, 'servers' | 'kinds' | 'sizes'>,
): string[] {
  const found = new Set(namesOf(suite, rows));
  return expected(suite, options).filter((name) => !found.has(name));
}

function expected(
  suite: SuiteName,
  { servers, kinds, sizes }: Pick<BenchOptions, 'servers' | 'kinds' | 'sizes'>,
): string[] {
  switch (suite) {
    case 'edits':
      return servers.flatMap((server) =>
        ['cold-start', ...kinds].map((kind) => `${kind} ${server}`),
      );
    case 'scale':
      return sizes.map((files) => `${files} files`);
    case 'throughput':
      return ['/ping', '/shelf'].flatMap((path) => [`${path} keep-alive`, `${path} one-shot`]);
    case 'memory':
      return servers;
  }
}

function namesOf(suite: SuiteName, rows: Rows[SuiteName]): string[] {
  switch (suite) {
    case 'edits':
      return (rows as Rows['edits']).flatMap(({ kind, server, samples }) =>
        samples.length > 0 ? `${kind} ${server}` : [],
      );
    case 'scale':
      return (rows as Rows['scale']).flatMap(({ files, leaf, hubSettled, memory }) =>
        leaf && hubSettled && memory ? `${files} files` : [],
      );
    case 'throughput':
      return (rows as Rows['throughput']).flatMap(({ path, connections, servers }) =>
        Object.values(servers).every((load) => (load.requestsPerSecond?.min ?? 0) > 0)
          ? `${path} ${connections}`
          : [],
      );
    case 'memory':
      return (rows as Rows['memory']).flatMap(({ server, afterStart }) =>
        afterStart.hostMb > 0 && afterStart.appMb > 0 ? server : [],
      );
  }
}
