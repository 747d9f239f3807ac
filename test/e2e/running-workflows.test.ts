import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from './support/dev-server.ts';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';
import { PROBE, witnessOf } from './support/witness.ts';

const STEPS = 'src/workflows/lasting/steps.ts';
const WORKFLOWS = 'src/workflows/lasting/workflow.ts';
const HOOK = 'src/workflows/lasting/hook.ts';
const NESTED = 'src/workflows/nested/workflow.ts';
const AGAIN = 'src/workflows/again/workflow.ts';

/** Executions that last until the test answers: in a step, at an async step, between two attempts. */
const files = {
  ...PROBE,
  [STEPS]: `
import { record } from '@lib/journal';
import { createStep, StepResponse } from '@medusajs/framework/workflows-sdk';

export type Input = { id: string; fails: boolean };
const note = (note: string) => record({ by: 'lasting', version: 'v1', note });

export const firstStep = createStep(
  'first',
  async () => {
    note('first');
    return new StepResponse('first v1', 'first v1');
  },
  async (done) => note('took back ' + done),
);

/** A step that waits by itself. */
export const holdStep = createStep('hold', async ({ id }: Input) => {
  note('waiting');
  const waiting = ((globalThis as any).waiting ??= new Map());
  return new StepResponse(await new Promise((resolve) => waiting.set(id, resolve)));
});

/** A step that is over when somebody tells the engine so. */
export const parkStep = createStep({ name: 'park', async: true }, async () => {
  note('waiting');
});

export const lastStep = createStep('last', async ({ fails }: Input) => {
  note('last');
  if (fails) {
    throw new Error('as asked of v1');
  }
  return new StepResponse('last v1');
});
`,
  [WORKFLOWS]: `
import { createHook, createWorkflow, transform, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
import { nestedWorkflow } from '../nested/workflow';
import { firstStep, holdStep, type Input, lastStep, parkStep } from './steps';

export const heldWorkflow = createWorkflow('held', (input: Input) => {
  const first = firstStep();
  const answer = holdStep(input);
  const answered = createHook('answered', { answer });
  const last = lastStep(input);
  const result = transform({ first, answer, last }, (all) => ['v1', all.first, all.answer, all.last]);
  return new WorkflowResponse(result, { hooks: [answered] });
});

export const parkedWorkflow = createWorkflow('parked', (input: Input) => {
  const first = firstStep();
  const answer = parkStep();
  const answered = createHook('answered', { answer });
  const last = lastStep(input);
  const result = transform({ first, answer, last }, (all) => ['v1', all.first, all.answer, all.last]);
  return new WorkflowResponse(result, { hooks: [answered] });
});

/** What comes after an async step and is a workflow is started by the engine. */
export const outerWorkflow = createWorkflow('outer', (input: Input) => {
  parkStep();
  const nested = nestedWorkflow.runAsStep({ input });
  lastStep(transform({ input, nested }, ({ input }) => input));
  return new WorkflowResponse(nested);
});
`,
  [HOOK]: `
import { record } from '@lib/journal';
import { heldWorkflow, parkedWorkflow } from './workflow';

for (const workflow of [heldWorkflow, parkedWorkflow]) {
  workflow.hooks.answered(async () => record({ by: 'lasting', version: 'v1', note: 'hook' }));
}
`,
  [NESTED]: `
import { record } from '@lib/journal';
import { createStep, createWorkflow, StepResponse, WorkflowResponse } from '@medusajs/framework/workflows-sdk';

const nestedStep = createStep(
  'nested-step',
  async () => {
    record({ by: 'lasting', version: 'v1', note: 'nested' });
    return new StepResponse('nested v1', 'nested v1');
  },
  async (done) => record({ by: 'lasting', version: 'v1', note: 'took back ' + done }),
);
export const nestedWorkflow = createWorkflow(
  { name: 'nested', store: true },
  (input: object) => new WorkflowResponse(nestedStep()),
);
`,
  [AGAIN]: `
import { record } from '@lib/journal';
import { createStep, createWorkflow, StepResponse, WorkflowResponse } from '@medusajs/framework/workflows-sdk';

const againStep = createStep(
  { name: 'again-step', maxRetries: 10_000, retryInterval: 1 },
  async () => {
    record({ by: 'again', version: 'v1', note: 'attempt' });
    if (!(globalThis as any).mayPass) {
      throw new Error('not yet');
    }
    record({ by: 'again', version: 'v1', note: 'passed' });
    return new StepResponse('again v1');
  },
);
export const againWorkflow = createWorkflow('again', () => new WorkflowResponse(againStep()));
`,
  'src/api/start/export/route.ts': `
export async function POST({ body: { workflow, input }, scope }: any, res: any) {
  const { [workflow + 'Workflow']: exported } = (await import('../../../workflows/lasting/workflow')) as any;
  const context = { transactionId: input.id };
  const { result, errors } = await exported(scope).run({ input, context, throwOnError: false });
  res.json({ result, errors: errors.map(({ error }: any) => error.message) });
}
`,
  'src/api/start/engine/route.ts': `
export async function POST({ body: { workflow, input }, scope }: any, res: any) {
  const engine = scope.resolve('workflows');
  const { result, errors } = await engine.run(workflow, { input, transactionId: input.id, throwOnError: false });
  res.json({ result, errors: errors.map(({ error }: any) => error.message) });
}
`,
  'src/api/answer/route.ts': `
export async function POST({ body: { workflow, id, cancels }, scope }: any, res: any) {
  const waiting: Map<string, (answer: string) => void> | undefined = (globalThis as any).waiting;
  if (waiting?.has(id)) {
    waiting.get(id)?.('answered');
    waiting.delete(id);
    res.json({});
    return;
  }
  const engine = scope.resolve('workflows');
  if (cancels) {
    const { transaction } = await engine.cancel(workflow, { transactionId: id, throwOnError: false });
    res.json({ state: transaction.getState() });
    return;
  }
  const { result, errors } = await engine.setStepSuccess({
    idempotencyKey: { action: 'invoke', transactionId: id, stepId: 'park', workflowId: workflow },
    stepResponse: 'answered',
    options: { throwOnError: false },
  });
  res.json({ result, errors: errors.map(({ error }: any) => error.message) });
}
`,
  'src/api/pass/route.ts': `
export function POST({ body }: any, res: any) {
  (globalThis as any).mayPass = body.mayPass;
  res.json({});
}
`,
  'src/api/remembered/route.ts': `
// The engine is given something else than what is registered as long as it may have to do with an old version.
export function GET(req: any, res: any) {
  const { MedusaWorkflow } = globalThis as any;
  res.json(MedusaWorkflow.getWorkflow('held') !== MedusaWorkflow.workflows.held);
}
`,
};

const shop = useShop({ files });
const witness = witnessOf(shop);
let pid: number;

beforeAll(async () => {
  ({ pid } = await shop.stats());
});

afterEach(async () => {
  expect((await shop.stats()).pid).toBe(pid);
});

type Way = 'export' | 'engine';
type Workflow = 'held' | 'parked';

let ids = 0;
const WAITING = ['v1 first', 'v1 waiting'];

const lines = async (seq: number, by = 'lasting') =>
  (await witness.entries(seq, by)).map(({ version, note }) => `${version} ${note}`);

/** Waits until everything has been recorded, and says what has. */
const recorded = (seq: number, expected: string[]) =>
  until(
    () => lines(seq),
    (all) => all.length >= expected.length,
  );

/** Starts an execution and waits until it does. */
async function start(way: Way, workflow: string, { fails = false, first = WAITING } = {}) {
  const seq = await witness.now();
  const input = { id: `execution-${++ids}`, fails };
  const started = witness.post(`/start/${way}`, { workflow, input });
  expect(await recorded(seq, first)).toEqual(first);
  return {
    async answer(more: object = {}): Promise<{ end: Answer['body']; lines: string[] }> {
      const before = await witness.now();
      const answered = await witness.post('/answer', { workflow, id: input.id, ...more });
      const end = workflow === 'held' ? await started : answered;
      return { end: end.body, lines: await lines(before) };
    },
  };
}

const edit = (file: string, change: (source: string) => string) =>
  shop.dev.nextUpdate(file, () => shop.project.edit(file, change));
const remove = (file: string) => shop.dev.nextUpdate(file, () => shop.project.remove(file));

async function changeBodies(): Promise<void> {
  await edit(WORKFLOWS, (source) => source.replaceAll("'v1'", "'second'"));
  await edit(STEPS, (source) => source.replaceAll('v1', 'second'));
  await edit(HOOK, (source) => source.replaceAll('v1', 'second'));
}

async function renameSteps(): Promise<void> {
  await edit(STEPS, (source) =>
    source
      .replaceAll('v1', 'second')
      .replace("'first',", "'begin',")
      .replace("'last',", "'end',")
      .replace("{ name: 'park', async: true }", "'park'"),
  );
}

async function removeWorkflows(): Promise<void> {
  await remove(HOOK);
  await remove(WORKFLOWS);
  await remove(STEPS);
}

describe.each<[Way, Workflow]>([
  ['export', 'held'],
  ['export', 'parked'],
  ['engine', 'held'],
  ['engine', 'parked'],
])('an execution by %s that is %s', (way, workflow) => {
  test.each([
    ['has other bodies', changeBodies],
    ['has other steps', renameSteps],
    ['has another hook', () => edit(HOOK, (source) => source.replaceAll('v1', 'second'))],
    ['is gone', removeWorkflows],
  ])('finishes as it began when its workflow %s', async (_, change) => {
    const succeeding = await start(way, workflow);
    const failing = await start(way, workflow, { fails: true });
    await change();
    expect(await succeeding.answer()).toEqual({
      end: { result: ['v1', 'first v1', 'answered', 'last v1'], errors: [] },
      lines: ['v1 hook', 'v1 last'],
    });
    expect(await failing.answer()).toMatchObject({
      end: { errors: ['as asked of v1'] },
      lines: ['v1 hook', 'v1 last', 'v1 took back first v1'],
    });
  });
});

test('what starts after the edit is new while the old one still waits', async () => {
  const old = await start('engine', 'parked');
  await changeBodies();
  const first = ['second first', 'second waiting'];
  const [other, failing] = [
    await start('engine', 'parked', { first }),
    await start('export', 'parked', { first, fails: true }),
  ];
  expect((await other.answer()).end).toEqual({
    result: ['second', 'first second', 'answered', 'last second'],
    errors: [],
  });
  expect((await failing.answer()).lines).toEqual([
    'second hook',
    'second last',
    'second took back first second',
  ]);
  expect((await old.answer()).lines).toEqual(['v1 hook', 'v1 last']);
});

test('each one finishes as it began when there are more than two versions', async () => {
  const first = await start('engine', 'parked');
  await edit(STEPS, (source) => source.replaceAll('v1', 'second'));
  const second = await start('engine', 'parked', { first: ['second first', 'second waiting'] });
  await edit(STEPS, (source) => source.replaceAll('second', 'third'));
  await edit(HOOK, (source) => source.replaceAll('v1', 'third'));
  expect((await second.answer()).lines).toEqual(['v1 hook', 'second last']);
  expect((await first.answer()).lines).toEqual(['v1 hook', 'v1 last']);
});

test('is taken back as it began when it is cancelled', async () => {
  const execution = await start('engine', 'parked');
  await renameSteps();
  // Medusa waits for the step that waits.
  const cancelled = await execution.answer({ cancels: true });
  expect(cancelled).toEqual({ end: { state: 'waiting_to_compensate' }, lines: [] });
  expect((await execution.answer()).lines).toEqual(['v1 took back first v1']);
});

test('a save that is refused changes nothing for one that waits', async () => {
  const execution = await start('engine', 'parked');
  const update = await edit(WORKFLOWS, (source) => `${source}\nthrow new Error('not today');\n`);
  expect(update.result).toBe('kept-previous');
  expect((await execution.answer()).lines).toEqual(['v1 hook', 'v1 last']);
});

test('a workflow that is gone can not be started while an execution of it waits', async () => {
  const execution = await start('engine', 'parked');
  await removeWorkflows();
  const input = { id: 'too late', fails: false };
  const { text } = await witness.post('/start/engine', { workflow: 'parked', input });
  expect(text).toContain('Workflow with id \\"parked\\" not found.');
  expect((await execution.answer()).lines).toEqual(['v1 hook', 'v1 last']);
});

test.each([
  [
    'has other steps',
    () =>
      edit(NESTED, (source) =>
        source.replaceAll('v1', 'second').replace("'nested-step'", "'other-step'"),
      ),
  ],
  [
    'is gone',
    async () => {
      await removeWorkflows();
      await remove(NESTED);
    },
  ],
])('a workflow that is a step of one that waits runs as of then when it %s', async (_, change) => {
  const first = ['v1 waiting'];
  const succeeding = await start('engine', 'outer', { first });
  const failing = await start('engine', 'outer', { first, fails: true });
  await change();
  let seq = await witness.now();
  await succeeding.answer();
  const success = ['v1 nested', 'v1 last'];
  expect(await recorded(seq, success)).toEqual(success);
  seq = await witness.now();
  await failing.answer();
  const failure = ['v1 nested', 'v1 last', 'v1 took back nested v1'];
  expect(await recorded(seq, failure)).toEqual(failure);
});

test('is tried again as it began', async () => {
  let seq = await witness.now();
  void witness.post('/start/engine', { workflow: 'again', input: { id: 'again', fails: false } });
  await witness.recorded(seq, 'again');
  await edit(AGAIN, (source) =>
    source.replaceAll('v1', 'second').replace("'again-step'", "'renamed'"),
  );
  seq = await witness.now();
  await witness.recorded(seq, 'again');
  await witness.post('/pass', { mayPass: true });
  await until(
    () => lines(seq, 'again'),
    (all) => all.includes('v1 passed'),
  );
  expect((await lines(seq, 'again')).filter((line) => !line.startsWith('v1'))).toEqual([]);
  await witness.post('/pass', { mayPass: false });
});

test('nothing is remembered of those that have ended', async () => {
  await until(
    () => shop.dev.get('/remembered'),
    ({ body }) => body === false,
  );
});
