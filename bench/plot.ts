import type { ServerName } from './bench-server.ts';
import type { EditRow } from './suites/edits.ts';

const SERVERS: { name: ServerName; title: string }[] = [
  { name: 'develop', title: 'medusa develop' },
  { name: 'hmr', title: 'medusa develop, backend_hmr' },
  { name: 'vite', title: 'medusa-vite dev' },
];

const WIDTH = 820;
const LEFT = 290;
const RIGHT = 70;
const TOP = 84;
const BAR = 11;
const GAP = 2;
const GROUP = SERVERS.length * (BAR + GAP) + 13;
const BOTTOM = 16;
/** Powers of ten that the axis shows, from a millisecond. */
const DECADES = 4.5;

/** Draws bars on a logarithmic scale: the median of each kind, for each server. */
export function renderPlot(rows: EditRow[]): string {
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const height = TOP + kinds.length * GROUP + BOTTOM;
  const parts = [
    `<text class="title" x="20" y="28">From the save to new code over HTTP: median, logarithmic</text>`,
    ...SERVERS.map(({ name, title }, index) => legend(name, title, 20 + index * 205)),
    ...Array.from({ length: Math.floor(DECADES) + 1 }, (_, power) => gridLine(power, height)),
    ...kinds.map((kind, index) => group(rows, kind, TOP + index * GROUP)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Milliseconds from a save to new code, by kind of edit and dev server">
<style>
${STYLE}
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>
${parts.join('\n')}
</svg>
`;
}

const STYLE = `text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.axis, .none { fill: #6e7781 }
.none { font-style: italic }
.value { font-weight: 600 }
.ground { fill: #ffffff }
.grid { stroke: #d8dee4 }
.develop { fill: #8c959f }
.hmr { fill: #d4872a }
.vite { fill: #7c4dff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .axis, .none { fill: #8d96a0 }
  .ground { fill: #0d1117 }
  .grid { stroke: #30363d }
  .develop { fill: #6e7681 }
  .hmr { fill: #e3a04f }
  .vite { fill: #a78bfa }
}`;

function legend(server: ServerName, title: string, x: number): string {
  return `<rect class="${server}" x="${x}" y="42" width="12" height="12" rx="2"/><text x="${x + 18}" y="52">${title}</text>`;
}

function gridLine(power: number, height: number): string {
  const x = positionOf(10 ** power);
  const label = power < 3 ? `${10 ** power} ms` : `${10 ** (power - 3)} s`;
  return `<line class="grid" x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${height - BOTTOM}"/><text class="axis" x="${x}" y="${TOP - 12}" text-anchor="middle">${label}</text>`;
}

function group(rows: EditRow[], kind: string, y: number): string {
  const title = rows.find((row) => row.kind === kind)?.title.replaceAll('`', '') ?? kind;
  const middle = y + (SERVERS.length * (BAR + GAP)) / 2 + 4;
  const bars = SERVERS.map(({ name }, index) => {
    const row = rows.find((candidate) => candidate.kind === kind && candidate.server === name);
    return row ? bar(row, y + index * (BAR + GAP)) : '';
  });
  return `<text x="${LEFT - 12}" y="${middle}" text-anchor="end">${escapeXml(title)}</text>\n${bars.join('\n')}`;
}

function bar({ server, outcome, ms }: EditRow, y: number): string {
  const base = y + BAR - 1.5;
  if (outcome !== 'fresh' || !ms) {
    const text = outcome === 'down' ? 'never: down' : 'never: old code';
    return `<rect class="${server}" x="${LEFT}" y="${y}" width="2" height="${BAR}"/><text class="none" x="${LEFT + 8}" y="${base}">${text}</text>`;
  }
  const end = positionOf(ms.median);
  const label = ms.median < 1000 ? `${precise(ms.median)} ms` : `${precise(ms.median / 1000)} s`;
  return `<rect class="${server}" x="${LEFT}" y="${y}" width="${(end - LEFT).toFixed(1)}" height="${BAR}" rx="2"/><text class="value" x="${(end + 6).toFixed(1)}" y="${base}">${label}</text>`;
}

function positionOf(ms: number): number {
  const share = Math.min(1, Math.max(0, Math.log10(ms) / DECADES));
  return LEFT + share * (WIDTH - LEFT - RIGHT);
}

function precise(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
