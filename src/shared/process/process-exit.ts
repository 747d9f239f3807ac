/** How a process has ended. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export function describeExit({ code, signal }: ProcessExit): string {
  return signal ? `by ${signal}` : `with code ${code}`;
}
