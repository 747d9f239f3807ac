/** Runs the job in the launcher which its schedule does, and answers with what it says. */
interface Engine {
  run(id: string, options: object): Promise<{ result: unknown }>;
}
interface Request {
  scope: { resolve(name: string): unknown };
}

export async function GET(req: Request, res: { json(body: unknown): void }): Promise<void> {
  const engine = req.scope.resolve('workflows') as Engine;
  const { result } = await engine.run('job-bench', { input: {} });
  res.json({ said: result });
}
