import { SERVER_TITLES, type ServerName } from './bench-server.ts';
import { machineLine } from './machine.ts';
import type { AllResults, Results } from './results-file.ts';
import type { EditRow } from './suites/edits.ts';
import type { MemoryRow } from './suites/memory.ts';
import type { ScaleRow } from './suites/scale.ts';
import type { ThroughputRow } from './suites/throughput.ts';
import { targetsOf } from './targets.ts';

const SERVERS: ServerName[] = ['develop', 'hmr', 'vite'];

/** Renders `results.md`: all results, for people. */
export function renderReport(results: AllResults): string {
  const { edits, scale, throughput, memory } = results;
  const targets = targetsOf(results).map(({ name, limit, measured, verdict }) => {
    return [name, limit, measured, verdict === 'met' ? verdict : `**${verdict}**`];
  });
  const parts = [
    '# Results',
    'Made by `npm run bench -- --all`; [how](../README.md). Times in ms.',
    '## Targets',
    table(['', 'at most / at least', 'measured', ''], targets),
    ...(edits
      ? ['## Edits', provenance(edits), editTable(edits.rows), editDetails(edits.rows)]
      : []),
    ...(scale ? ['## Scale', provenance(scale), scaleTable(scale.rows)] : []),
    ...(throughput
      ? ['## Throughput', provenance(throughput), throughputTable(throughput.rows)]
      : []),
    ...(memory ? ['## Memory', provenance(memory), memoryTable(memory.rows)] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** One line for each kind, as README could show it. */
function editTable(rows: EditRow[]): string {
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const lines = kinds.map((kind) => {
    const [develop, hmr, vite] = SERVERS.map((server) => {
      return rows.find((row) => row.kind === kind && row.server === server);
    });
    const title = (vite ?? hmr ?? develop)?.title ?? kind;
    return [title, cell(develop), cell(hmr), cell(vite), times(develop, vite), times(hmr, vite)];
  });
  const heads = SERVERS.map((server) => SERVER_TITLES[server]);
  return table(
    ['From the save to new code: median', ...heads, 'faster than a restart', 'than its HMR'],
    lines,
  );
}

function editDetails(rows: EditRow[]): string {
  return table(
    [
      '',
      '',
      'samples',
      'min',
      'median',
      'p95',
      'max',
      'failed requests per edit',
      'failing for',
      'stale after new',
      'one answer',
      'pause before each',
    ],
    rows.map((row) => [
      row.title,
      SERVER_TITLES[row.server],
      String(row.samples.length),
      ...(row.ms
        ? [ms(row.ms.min), ms(row.ms.median), ms(row.ms.p95), ms(row.ms.max)]
        : [row.outcome, '', '', '']),
      row.failed ? String(row.failed.median) : '',
      row.downMs ? ms(row.downMs.median) : '',
      row.kind === 'cold-start' ? '' : String(row.stale),
      row.answerMs ? ms(row.answerMs.median) : '',
      row.pauseMs ? ms(row.pauseMs) : '',
    ]),
  );
}

function scaleTable(rows: ScaleRow[]): string {
  return table(
    [
      'files',
      'routes',
      'server',
      'cold start',
      'leaf edit: median',
      'p95',
      'helper of all: first new answer',
      'all settled',
      'failed requests',
      'host MB',
      'app MB',
    ],
    rows.map(({ memory, ...row }) => [
      String(row.files),
      String(row.routes),
      SERVER_TITLES[row.server],
      ms(row.coldStart?.median),
      ms(row.leaf?.median),
      ms(row.leaf?.p95),
      ms(row.hubFresh?.median),
      `${ms(row.hubSettled?.median)} ${row.hubResults.filter((result) => result !== 'reloaded').join(', ')}`.trim(),
      row.leaf ? String(row.failed) : '',
      memory ? String(memory.hostMb) : '',
      memory ? String(memory.appMb) : '',
    ]),
  );
}

function throughputTable(rows: ThroughputRow[]): string {
  return table(
    ['Route', 'connections', 'server', 'requests/s', 'latency median', 'p99', 'failed', 'ratio'],
    rows.flatMap(({ route, path, connections, servers, ratio }) =>
      (['develop', 'vite'] as const).map((server) => {
        const { requestsPerSecond, latencyMedian, latencyP99, failed } = servers[server];
        return [
          `${route}: \`${path}\``,
          connections,
          SERVER_TITLES[server],
          String(Math.round(requestsPerSecond?.median ?? 0)),
          ms(latencyMedian),
          ms(latencyP99),
          String(failed),
          server === 'vite' && ratio
            ? `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`
            : '',
        ];
      }),
    ),
  );
}

function memoryTable(rows: MemoryRow[]): string {
  return table(
    ['MB, resident', 'host', 'app', 'other processes', 'reloads', 'host', 'app', 'other processes'],
    rows.map(({ server, args, afterStart, afterReloads, reloads }) => [
      args ? `${SERVER_TITLES[server]}, \`${args}\`` : SERVER_TITLES[server],
      String(afterStart.hostMb),
      String(afterStart.appMb),
      String(afterStart.othersMb),
      ...(afterReloads
        ? [reloads, afterReloads.hostMb, afterReloads.appMb, afterReloads.othersMb].map(String)
        : ['', '', '', '']),
    ]),
  );
}

function cell(row: EditRow | undefined): string {
  if (!row) {
    return '';
  }
  const { outcome, ms: summary, failed, survived } = row;
  if (outcome === 'stale') {
    return 'never: old code';
  }
  if (outcome === 'down') {
    return 'never: down';
  }
  const notes = [
    ...(failed && failed.median > 0 ? [`${failed.median} failed requests`] : []),
    ...(survived === false ? ['down until then'] : []),
  ];
  return `${ms(summary?.median)}${notes.length > 0 ? `, ${notes.join(', ')}` : ''}`;
}

function times(theirs: EditRow | undefined, ours: EditRow | undefined): string {
  if (!theirs?.ms || !ours?.ms || theirs.outcome !== 'fresh' || ours.outcome !== 'fresh') {
    return '';
  }
  const ratio = theirs.ms.median / ours.ms.median;
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} ×`;
}

function provenance({ date, machine }: Results): string {
  return `${date.slice(0, 10)}, on ${machineLine(machine)}.`;
}

function ms(value: number | undefined): string {
  if (value === undefined) {
    return '';
  }
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

function table(heads: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
