/** In milliseconds, or the unit of the values. */
export interface Summary {
  count: number;
  min: number;
  median: number;
  p95: number;
  max: number;
}

/** @returns null if there is nothing to summarize */
export function summarize(values: number[]): Summary | null {
  if (values.length === 0) {
    return null;
  }
  const sorted = values.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    min: rounded(sorted.at(0) ?? 0),
    median: rounded(median(sorted)),
    p95: rounded(percentile(sorted, 0.95)),
    max: rounded(sorted.at(-1) ?? 0),
  };
}

/** By nearest rank: always one of the values; 0 if there are none. */
export function percentileOf(values: number[], fraction: number): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    fraction,
  );
}

export function medianOf(values: number[]): number {
  return median(values.toSorted((a, b) => a - b));
}

function median(sorted: number[]): number {
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? upper) + upper) / 2 : upper;
}

function percentile(sorted: number[], fraction: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? 0;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
