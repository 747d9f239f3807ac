import { describe, expect, test } from 'vitest';
import type { ServerName } from '../../../bench/bench-server.ts';
import { missingRows } from '../../../bench/completeness.ts';
import { renderPlot } from '../../../bench/plot.ts';
import { renderReport } from '../../../bench/report.ts';
import type { Results } from '../../../bench/results-file.ts';
import { summarize } from '../../../bench/statistics.ts';
import type { EditRow } from '../../../bench/suites/edits.ts';
import { type Target, targetsOf } from '../../../bench/targets.ts';

function row(kind: string, server: ServerName, samples: number[], failed = 0): EditRow {
  return {
    kind,
    title: `The ${kind}`,
    server,
    outcome: 'fresh',
    ms: summarize(samples),
    failed: summarize(samples.map(() => failed)),
    downMs: summarize(samples.map(() => failed * 10)),
    stale: 0,
    pauseMs: kind === 'env' ? 5_000 : 0,
    answerMs: summarize([1.5]),
    samples,
  };
}

const machine = {
  cpu: 'Some CPU',
  cores: 2,
  memoryGb: 24,
  os: 'Linux 6',
  node: '20.20.2',
  medusa: '2.21.2',
  commit: 'abc1234',
};
const rows: EditRow[] = [
  row('route', 'develop', [4_000, 5_000, 6_000], 300),
  row('route', 'hmr', [70, 80, 90], 12),
  row('route', 'vite', [9, 10, 11]),
  { ...row('env', 'hmr', []), outcome: 'stale', ms: null, samples: [] },
  row('env', 'vite', [1_200]),
];
const edits: Results<'edits'> = { suite: 'edits', date: '2026-01-02T03:04:05Z', machine, rows };

describe('the report', () => {
  const report = renderReport({ edits });

  test('sets the servers side by side, with what failed and by how much', () => {
    expect(report).toContain(
      '| The route | 5,000, 300 failed requests | 80.0, 12 failed requests | 10.0 | 500 × | 8.0 × |',
    );
  });

  test('says who never gets there', () => {
    expect(report).toContain('| The env |  | never: old code | 1,200 |');
  });

  test('says what one answer takes, and how long nothing went on before', () => {
    expect(report).toContain(
      '| The env | `medusa-vite dev` | 1 | 1,200 | 1,200 | 1,200 | 1,200 | 0 | 0.0 | 0 | 1.5 | 5,000 |',
    );
  });

  test('says where and when', () => {
    expect(report).toContain('2026-01-02, on Some CPU, 2 cores, 24 GB');
    expect(report).toContain('Medusa 2.21.2, medusa-vite at abc1234.');
  });
});

describe('the report of the other suites', () => {
  const memory = { hostMb: 120, appMb: 350, othersMb: 900 };
  const measured = summarize([10, 12]);
  const report = renderReport({
    scale: {
      suite: 'scale',
      date: edits.date,
      machine,
      rows: [
        {
          files: 1_301,
          routes: 1_000,
          workflows: 260,
          modules: 20,
          server: 'vite',
          coldStart: summarize([5_000]),
          leaf: measured,
          hubFresh: summarize([80]),
          hubSettled: summarize([2_500]),
          hubResults: ['restarted'],
          failed: 0,
          memory,
        },
      ],
    },
    throughput: {
      suite: 'throughput',
      date: edits.date,
      machine,
      rows: [
        {
          route: 'Trivial',
          path: '/ping',
          connections: 'one-shot',
          servers: {
            develop: {
              requestsPerSecond: summarize([600]),
              latencyMedian: 16,
              latencyP99: 40,
              failed: 0,
            },
            vite: {
              requestsPerSecond: summarize([540]),
              latencyMedian: 18,
              latencyP99: 44,
              failed: 1,
            },
          },
          ratio: summarize([0.9]),
        },
      ],
    },
    memory: {
      suite: 'memory',
      date: edits.date,
      machine,
      rows: [
        { server: 'develop', args: '', afterStart: memory, afterReloads: null, reloads: 100 },
        {
          server: 'vite',
          args: '--no-spare',
          afterStart: memory,
          afterReloads: { ...memory, hostMb: 160 },
          reloads: 100,
        },
      ],
    },
  });

  test('names what was not reloaded in place', () => {
    expect(report).toContain(
      '| 1301 | 1000 | `medusa-vite dev` | 5,000 | 11.0 | 12.0 | 80.0 | 2,500 restarted | 0 | 120 | 350 |',
    );
    expect(report).toMatch(/first new answer \| ≤ 100 ms \| 80 ms \| met/);
    expect(report).toMatch(/all settled \| ≤ 2000 ms \| 2500 ms \| \*\*missed/);
  });

  test('compares requests per second, round by round', () => {
    expect(report).toContain(
      '| one-shot | `medusa-vite dev` | 540 | 18.0 | 44.0 | 1 | 0.90 (0.90 to 0.90) |',
    );
    expect(report).toMatch(/`\/ping`, one-shot.* \| ≥ 0.95 × \| 0.9 × \| \*\*missed/);
  });

  test('leaves empty what was not measured', () => {
    expect(report).toContain('| `medusa develop` | 120 | 350 | 900 |  |  |  |  |');
    expect(report).toContain(
      '| `medusa-vite dev`, `--no-spare` | 120 | 350 | 900 | 100 | 160 | 350 | 900 |',
    );
  });
});

function judged(targets: Target[]): string[] {
  return targets
    .filter(({ verdict }) => verdict !== 'not measured')
    .map(({ name, verdict }) => `${verdict}: ${name}`);
}

describe('the targets', () => {
  test('are judged where there is something to judge', () => {
    expect(judged(targetsOf({ edits }))).toEqual([
      'met: The route: median',
      'met: The route: p95',
      "met: The route: faster than Medusa's HMR",
      "met: The route: faster than Medusa's restart",
      'met: Failed requests during any of these',
    ]);
  });

  test('can be missed', () => {
    const slow = rows.map((one) => (one.server === 'vite' ? row(one.kind, 'vite', [41], 1) : one));
    expect(judged(targetsOf({ edits: { ...edits, rows: slow } }))).toEqual([
      'missed: The route: median',
      'missed: The route: p95',
      "missed: The route: faster than Medusa's HMR",
      "missed: The route: faster than Medusa's restart",
      'missed: Failed requests during any of these',
    ]);
  });

  test('are met where Medusa never comes to new code', () => {
    const stale = rows.map((one) =>
      one.server === 'hmr' ? { ...one, outcome: 'stale' as const, ms: null } : one,
    );
    expect(targetsOf({ edits: { ...edits, rows: stale } })).toContainEqual({
      name: "The route: faster than Medusa's HMR",
      limit: '≥ 8 ×',
      measured: 'that never shows it',
      verdict: 'met',
    });
  });

  test('that nobody has measured say so', () => {
    const targets = targetsOf({});
    expect(targets.length).toBeGreaterThan(30);
    expect(judged(targets)).toEqual([]);
    expect(renderReport({})).toContain(
      '| Cold start of the shop, to `medusa develop` | ≤ 0.8 × |  | **not measured** |',
    );
  });
});

test('rows that were asked for and are not there are named', () => {
  const asked = { servers: ['hmr', 'vite'], kinds: ['route'], sizes: [10] } satisfies Parameters<
    typeof missingRows
  >[2];
  expect(missingRows('edits', rows, asked)).toEqual(['cold-start hmr', 'cold-start vite']);
  expect(missingRows('scale', [], asked)).toEqual(['10 files']);
});

test('the plot has a bar or a word for every row', () => {
  const plot = renderPlot(rows);
  expect(plot).toMatch(/5\.0 s<.*80 ms<.*10 ms</s);
  expect(plot).toContain('never: old code');
  // Every power of ten takes as much room as the next.
  const widths = [...plot.matchAll(/width="([\d.]+)" height="11"/g)].map(([, width]) =>
    Number(width),
  );
  const [, , tenMs = 0] = widths;
  expect(widths.at(-1)).toBeCloseTo(tenMs * Math.log10(1_200), 0);
});
