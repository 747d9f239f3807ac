/** Part of the copies of the shop: answers what is registered in this app, and runs some of it. */
import { inspect } from 'node:util';

interface Layer {
  route?: { path: unknown; methods: Record<string, boolean> };
  handle?: { stack?: Layer[] };
  name?: string;
}
interface Flow {
  action?: string;
  next?: Flow | Flow[];
}
interface Engine {
  run(id: string, options: object): Promise<{ result: unknown }>;
}
interface Query {
  graph(query: object): Promise<{ data: unknown }>;
}
interface Bus {
  eventToSubscribersMap_?: Map<string, { id: string }[]>;
  emit(event: object): Promise<void>;
}
interface Globals {
  oracleLog?: string[];
  shopJournal?: { entries: Record<string, unknown>[] };
  WorkflowManager: {
    workflows: Map<string, { flow_: Flow; handlers_: Map<string, unknown>; options: object }>;
  };
  MedusaWorkflow: { workflows: Record<string, unknown> };
  WorkflowScheduler: { storage: { scheduled: Map<string, Record<string, unknown>> } };
  MedusaModule: {
    getAllJoinerConfigs(): {
      serviceName: string;
      alias?: unknown;
      schema?: string;
      relationships?: unknown;
      extends?: unknown;
    }[];
    getCustomLinks(): unknown[];
  };
}
interface Request {
  app: { _router: { stack: Layer[] } };
  query: Record<string, unknown>;
  scope: { resolve(name: string): unknown };
}

const globals = globalThis as unknown as Globals;

export async function GET(req: Request, res: { json(body: unknown): void }): Promise<void> {
  const answers: Record<string, unknown> = {};
  listWorkflows(answers);
  listSchedules(answers);
  const bus = req.scope.resolve('event_bus') as Bus;
  for (const [event, subscribers] of bus.eventToSubscribersMap_ ?? []) {
    if (subscribers.length > 0) {
      answers[`subscription ${event}`] = subscribers.map(({ id }) => id).sort();
    }
  }
  const engine = req.scope.resolve('workflows') as Engine;
  for (const id of [...globals.WorkflowManager.workflows.keys()]) {
    if (/^(?:job-)?oracle-/.test(id)) {
      answers[`run ${id}`] = await capture(
        async () => (await engine.run(id, { input: {} })).result,
      );
    }
  }
  for (const event of ['oracle.e1', 'oracle.e2', 'oracle.e3']) {
    answers[`event ${event}`] = await emitAndWait(bus, event);
  }
  describeService(req.scope.resolve('brand') as object, answers);
  answers.links = globals.MedusaModule.getAllJoinerConfigs()
    .map((config) =>
      inspect([config.serviceName, config.relationships, config.extends], { depth: 4 }),
    )
    .filter((text) => /brand/i.test(text))
    .sort();
  const query = req.scope.resolve('query') as Query;
  const brand = globals.MedusaModule.getAllJoinerConfigs().find(
    ({ serviceName }) => serviceName === 'brand',
  );
  answers['joiner config'] = [brand?.alias, brand?.schema];
  for (const entity of ['brand', 'brands', 'oracle_maker', 'oracle_label']) {
    answers[`query ${entity}`] = await query
      .graph({ entity, fields: ['name', 'products.handle'], filters: { name: 'acme' } })
      .then(
        ({ data }) => data,
        ({ message }: Error) => message,
      );
  }
  answers['links: count'] = globals.MedusaModule.getCustomLinks().length;
  const routes = routesOf(req.app._router.stack);
  answers.routes = routes;
  if (req.query.full) {
    await runMore(req, engine, answers);
  }
  res.json(answers);
}

function listWorkflows(answers: Record<string, unknown>): void {
  for (const [id, workflow] of globals.WorkflowManager.workflows) {
    answers[`workflow ${id}`] = [
      stepsOf(workflow.flow_).join(' '),
      [...workflow.handlers_.keys()].sort().join(' '),
      workflow.options,
    ];
  }
  answers['workflows of the engine'] = Object.keys(globals.MedusaWorkflow.workflows).sort();
}

function stepsOf(flow: Flow): string[] {
  const next = [flow.next ?? []].flat();
  return [...(flow.action ? [flow.action] : []), ...next.flatMap(stepsOf)];
}

function listSchedules(answers: Record<string, unknown>): void {
  for (const [id, { config, expression, numberOfExecutions }] of globals.WorkflowScheduler.storage
    .scheduled) {
    const text =
      typeof expression === 'object' && expression !== null && 'stringify' in expression
        ? (expression as { stringify(): string }).stringify()
        : expression;
    answers[`schedule ${id}`] = [
      text,
      config,
      // This job runs every two seconds.
      id === 'job-count-brands' ? 'n' : numberOfExecutions,
    ];
  }
}

async function capture(run: () => Promise<unknown>): Promise<unknown> {
  globals.oracleLog = [];
  try {
    const result = await run();
    return { result, log: globals.oracleLog };
  } catch (error) {
    return { error: inspect(error, { depth: 3 }).split('\n').slice(0, 4), log: globals.oracleLog };
  }
}

const EVENT_WAIT_MS = 5_000;

async function emitAndWait(bus: Bus, event: string): Promise<unknown> {
  const log: string[] = [];
  globals.oracleLog = log;
  const expected = bus.eventToSubscribersMap_?.get(event)?.length ?? 0;
  const deadline = Date.now() + EVENT_WAIT_MS;
  await bus.emit({ name: event, data: {} });
  do {
    await new Promise((resolve) => setTimeout(resolve, 2));
  } while (log.length < expected && Date.now() < deadline);
  return [...log].sort();
}

function describeService(service: object, answers: Record<string, unknown>): void {
  const methods = new Set<string>();
  for (let at = service; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      methods.add(name);
    }
  }
  answers['service methods'] = [...methods].sort().filter((name) => !name.startsWith('_'));
  for (const name of methods) {
    if (name.startsWith('oracle')) {
      const method = Reflect.get(service, name) as () => unknown;
      answers[`service.${name}`] = method.call(service);
    }
  }
}

function routesOf(stack: Layer[]): string[] {
  return stack.flatMap((layer) => {
    if (layer.route) {
      const methods = Object.keys(layer.route.methods).sort();
      // An app registers `all` method by method, a router at once.
      const isAll = methods.length > 20 || methods.includes('_all');
      return [`${isAll ? 'all' : methods.join()} ${String(layer.route.path)}`];
    }
    return layer.handle?.stack ? routesOf(layer.handle.stack) : [];
  });
}

async function runMore(
  req: Request,
  engine: Engine,
  answers: Record<string, unknown>,
): Promise<void> {
  answers['core hook'] = await capture(async () => {
    const email = `${Math.random()}@oracle.test`;
    const { result } = await engine.run('create-customers', {
      input: { customersData: [{ email }] },
    });
    const ids = (result as { id: string }[]).map(({ id }) => id);
    await engine.run('delete-customers', { input: { ids } });
    return ids.length;
  });
  const notifications = req.scope.resolve('notification') as {
    createNotifications(data: object): Promise<unknown>;
  };
  await notifications.createNotifications({
    to: 'the oracle',
    channel: 'journal',
    template: 'oracle',
  });
  answers.provider = lastOf('src/modules/journal-provider/service.ts');
  await engine.run('job-count-brands', { input: {} });
  answers['job count-brands'] = lastOf('src/jobs/count-brands.ts');
  answers['module loader'] = lastOf('src/modules/brand/loaders/check-options.ts');
}

function lastOf(file: string): unknown {
  const entry = globals.shopJournal?.entries.findLast(({ by }) => by === file);
  return entry && { ...entry, seq: 0, at: '' };
}
