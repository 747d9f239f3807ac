/** What instrumentation.ts has left behind when the app started. */
export function GET(_req: unknown, res: { json(body: unknown): void }): void {
  res.json({ started: Reflect.get(globalThis, 'benchStarted') });
}
