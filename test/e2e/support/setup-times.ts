/** The time that a test file has spent outside of tests, by kind. */
export type SetupTimes = Record<string, { count: number; ms: number }>;

declare module 'vitest' {
  interface TaskMeta {
    /** The times of a test file, which test/report.ts shows. */
    setupTimes?: SetupTimes;
  }
}

/** The times of the running test file; report-setup-times.ts hands them to Vitest. */
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
