import { describe, expect, it } from 'vitest';
import { takeLines } from '../../app/support/memory-app.ts';
import { type WorkflowApp, workflowProject } from '../../app/support/workflow-app.ts';

const FLOW = 'src/workflows/flow.ts';
const HOOK = 'src/workflows/hook.ts';
const SDK = `import { createHook, createStep, createWorkflow, StepResponse, transform, WorkflowResponse } from '@medusajs/workflows-sdk';`;

/**
 * Three steps, of which the second waits: by itself until `answer` is called, or in the engine. Each says which
 * version it is of, and so does the result.
 */
const lasting = (version: string, { isParked = false, fails = false, more = '' } = {}) => `${SDK}
  const first = createStep('first', async () => { log('first ${version}'); return new StepResponse('${version}'); },
    async () => log('took back ${version}'));
  const wait = createStep(${isParked ? `{ name: 'wait', async: true }` : `'wait'`}, async () => {
    log('waits ${version}');
    ${isParked ? '' : `return new StepResponse(await new Promise((resolve) => { globalThis.answer = resolve; }));`}
  });
  const last = createStep('last', async () => {
    log('last ${version}');
    ${fails ? `throw new Error('as asked of ${version}');` : ''}
    return new StepResponse('last ${version}');
  });
  export const flow = createWorkflow('lasting', () => {
    const begun = first();
    wait();
    const done = createHook('done', {});
    const ended = last();
    return new WorkflowResponse(transform({ begun, ended }, (all) => ['${version}', all.begun, all.ended].join()), { hooks: [done] });
  });
  ${more}`;

const answer = () => (Reflect.get(globalThis, 'answer') as (value: string) => void)('answered');

/** Of what starts now, when its second step has begun. */
async function started(app: WorkflowApp, options: object = {}) {
  const running = app.byId('lasting')?.run({ throwOnError: false, ...options });
  await expect.poll(() => takeLines().some((line) => line.startsWith('waits'))).toBe(true);
  return { running };
}

describe('an execution whose step waits by itself', () => {
  it('goes on with the workflow that it began with', async () => {
    const app = await workflowProject({ [FLOW]: lasting('old') });
    const { running } = await started(app);
    await app.save({ [FLOW]: lasting('new') });
    answer();
    expect((await running)?.result).toBe('old,old,last old');
    expect(takeLines()).toEqual(['last old']);
  });

  it('takes back what it did by the steps that it began with', async () => {
    const app = await workflowProject({ [FLOW]: lasting('old', { fails: true }) });
    const { running } = await started(app);
    await app.save({ [FLOW]: lasting('new') });
    answer();
    expect((await running)?.errors).toMatchObject([{ error: { message: 'as asked of old' } }]);
    expect(takeLines()).toEqual(['last old', 'took back old']);
  });

  it('goes on with the handler of a hook that it began with', async () => {
    const handler = (text: string) =>
      `import { flow } from './flow'; flow.hooks.done(async () => log('hook ${text}'));`;
    const app = await workflowProject({ [FLOW]: lasting('old'), [HOOK]: handler('old') });
    const { running } = await started(app);
    await app.save({ [HOOK]: handler('new') });
    answer();
    await running;
    expect(takeLines()).toEqual(['hook old', 'last old']);
    const next = await started(app);
    answer();
    await next.running;
    expect(takeLines()).toEqual(['hook new', 'last old']);
  });

  it('leaves what starts later to the new version', async () => {
    const app = await workflowProject({ [FLOW]: lasting('old') });
    const first = await started(app);
    const answerFirst = answer.bind(null);
    const resolveFirst = Reflect.get(globalThis, 'answer') as (value: string) => void;
    await app.save({ [FLOW]: lasting('new') });
    const second = await started(app);
    answerFirst();
    expect((await second.running)?.result).toBe('new,new,last new');
    resolveFirst('late');
    expect((await first.running)?.result).toBe('old,old,last old');
  });
});

describe('an execution whose step waits for an answer', () => {
  const parked = (version: string, more = {}) => lasting(version, { isParked: true, ...more });
  let executions = 0;

  async function park(app: WorkflowApp) {
    const id = `execution-${executions++}`;
    await app
      .byId('lasting')
      ?.run({ throwOnError: false, context: { transactionId: id } } as object);
    await expect.poll(() => takeLines().some((line) => line.startsWith('waits'))).toBe(true);
    return {
      id,
      goOn: () =>
        app.byId('lasting')?.registerStepSuccess({ idempotencyKey: `lasting:${id}:wait:invoke` }),
    };
  }

  it('goes on with the workflow that it began with, found by its id', async () => {
    const app = await workflowProject({ [FLOW]: parked('old') });
    const { goOn } = await park(app);
    await app.save({ [FLOW]: parked('new') });
    expect((await goOn())?.result).toBe('old,old,last old');
    expect(takeLines()).toEqual(['last old']);
  });

  it('goes on as it began, whichever of many versions that is', async () => {
    const app = await workflowProject({ [FLOW]: parked('one') });
    const first = await park(app);
    await app.save({ [FLOW]: parked('two') });
    const second = await park(app);
    await app.save({ [FLOW]: parked('three') });
    const third = await park(app);
    expect((await second.goOn())?.result).toBe('two,two,last two');
    expect((await third.goOn())?.result).toBe('three,three,last three');
    expect((await first.goOn())?.result).toBe('one,one,last one');
  });

  it('goes on with a workflow that is gone, which nobody can start any more', async () => {
    const app = await workflowProject({ [FLOW]: parked('old') });
    const { goOn } = await park(app);
    await app.save({}, { deleted: [FLOW] });
    await expect(async () => app.byId('lasting')?.run({})).rejects.toThrow(/lasting/);
    expect((await goOn())?.result).toBe('old,old,last old');
    // The last that knew it is over.
    expect(app.byId('lasting')).toBeUndefined();
  });

  it('is taken back as it began when the answer is that it failed', async () => {
    const app = await workflowProject({ [FLOW]: parked('old') });
    const { id } = await park(app);
    await app.save({ [FLOW]: parked('new') });
    await app.byId('lasting')?.registerStepFailure({
      idempotencyKey: `lasting:${id}:wait:invoke`,
      throwOnError: false,
    });
    expect(takeLines()).toEqual(['took back old']);
  });

  it('goes on as it began through a save that failed', async () => {
    const app = await workflowProject({ [FLOW]: parked('old') });
    const { goOn } = await park(app);
    await app.save({ [FLOW]: parked('new', { more: `throw new Error('oops');` }) });
    expect((await goOn())?.result).toBe('old,old,last old');
  });

  it('that is not known, as one that another process has begun, goes on with what serves', async () => {
    const app = await workflowProject({ [FLOW]: parked('old') });
    await expect(
      app.byId('lasting')?.registerStepSuccess({ idempotencyKey: 'lasting:unknown:wait:invoke' }),
    ).rejects.toThrow();
  });
});
