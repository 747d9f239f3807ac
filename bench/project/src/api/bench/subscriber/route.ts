/** Emits an event, and answers with what the subscriber to it says. */
interface Bus {
  emit(event: object): Promise<void>;
}
interface Request {
  scope: { resolve(name: string): unknown };
}
interface Response {
  status(code: number): Response;
  json(body: unknown): void;
}

/** The local event bus calls subscribers within a turn or two of the event loop. */
const WAIT_MS = 500;

export async function GET(req: Request, res: Response): Promise<void> {
  const heard = new Promise((resolve) => {
    Object.assign(globalThis, { benchHeard: resolve });
    setTimeout(resolve, WAIT_MS);
  });
  const bus = req.scope.resolve('event_bus') as Bus;
  await bus.emit({ name: 'bench.asked', data: {} });
  const said = await heard;
  res.status(said === undefined ? 503 : 200).json({ said });
}
