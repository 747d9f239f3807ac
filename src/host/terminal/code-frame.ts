/** Lines shown on each side of the position. */
const CONTEXT_LINES = 2;
/** Enough of a line to recognise it; generated code can be one line of a megabyte. */
const MAX_LINE_LENGTH = 160;

/** The lines around a position (both 1-based) with a marker, or nothing if the source has no such line. */
export function createCodeFrame(
  source: string,
  position: { line: number; column?: number },
): string | undefined {
  const lines = source.split(/\r?\n/);
  const { line, column } = position;
  if (lines[line - 1] === undefined) {
    return undefined;
  }
  const first = Math.max(1, line - CONTEXT_LINES);
  const last = Math.min(lines.length, line + CONTEXT_LINES);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1] ?? '';
    const gutter = `${number === line ? '>' : ' '} ${String(number).padStart(width)} |`;
    frame.push(`${gutter} ${text.slice(0, MAX_LINE_LENGTH)}`.trimEnd());
    if (number === line && column !== undefined && column <= MAX_LINE_LENGTH) {
      // Tabs stay tabs, so that the marker stands under its letter in every terminal.
      const indent = text.slice(0, Math.max(0, column - 1)).replace(/[^\t]/g, ' ');
      frame.push(`  ${' '.repeat(width)} | ${indent}^`);
    }
  }
  return frame.join('\n');
}
