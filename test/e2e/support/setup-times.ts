/** What a test file has spent on what is no test, by kind. */
export type SetupTimes = Record<string, { count: number; ms: number }>;

declare module 'vitest' {
  interface TaskMeta {
    /** Of a file; test/report.ts shows it. */
    setupTimes?: SetupTimes;
  }
}

/** Of the file that runs in this process; report-setup-times.ts hands it to Vitest. */
export const setupTimes: SetupTimes = {};

export async function timed<T>(kind: string, setUp: () => T | Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    return await setUp();
  } finally {
    const { count, ms } = setupTimes[kind] ?? { count: 0, ms: 0 };
    setupTimes[kind] = { count: count + 1, ms: ms + performance.now() - startedAt };
  }
}
