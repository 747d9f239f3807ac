import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WorkflowsReloader } from '../../../../src/app/reloaders/workflows.ts';
import { takeLines } from '../support/memory-app.ts';
import { schedules, store, workflowProject, workflows } from '../support/workflow-app.ts';

const FLOW = 'src/workflows/flow.ts';
const OTHER = 'src/workflows/other.ts';
const HOOK = 'src/workflows/hook.ts';
const STEP = 'src/lib/step.ts';
const PACKAGE = join(import.meta.dirname, '../support/package-of-workflows.cjs');
const SDK = `import { createHook, createStep, createWorkflow, StepResponse, transform, WorkflowResponse } from '@medusajs/workflows-sdk';`;

/** A workflow of one step, which answers. */
const flow = (answer: string, { id = 'flow', options = '' } = {}) => `${SDK}
  const step = createStep('${id} step', async () => new StepResponse('${answer}'));
  export const flow = createWorkflow({ name: '${id}', ${options} }, () => new WorkflowResponse(step()));`;

const resultOf = async (run: { run(options: object): Promise<{ result: unknown }> } | undefined) =>
  (await run?.run({}))?.result;

describe('a workflow', () => {
  it('is the next version, however it is run', async () => {
    const app = await workflowProject({ [FLOW]: flow('old') });
    expect(await resultOf(app.workflow(FLOW))).toBe('old');
    expect(await app.save({ [FLOW]: flow('new') })).toMatchObject({ resources: ['workflow flow'] });
    expect(await resultOf(app.workflow(FLOW))).toBe('new');
    expect(await resultOf(app.byId('flow'))).toBe('new');
  });

  it('is the next version for an importer of the old one', async () => {
    const app = await workflowProject({ [FLOW]: flow('old') });
    const imported = app.exportsOf(FLOW)?.flow as (
      container: object,
    ) => Parameters<typeof resultOf>[0];
    await app.save({ [FLOW]: flow('new') });
    expect(await resultOf(imported({}))).toBe('new');
  });

  it('gets a step of another file anew', async () => {
    const step = (answer: string) =>
      `${SDK} export const step = createStep('s', async () => new StepResponse('${answer}'));`;
    const app = await workflowProject({
      [FLOW]: `${SDK} import { step } from '../lib/step'; export const flow = createWorkflow('flow', () => new WorkflowResponse(step()));`,
      [STEP]: step('old'),
    });
    await app.save({ [STEP]: step('new') });
    expect(await resultOf(app.byId('flow'))).toBe('new');
  });

  it('that throws while it is composed leaves the old one, and the next composer alone', async () => {
    const app = await workflowProject({ [FLOW]: flow('old') });
    const broken = `${SDK} export const flow = createWorkflow('flow', () => { throw new Error('oops'); });`;
    expect(await app.save({ [FLOW]: broken })).toMatchObject({
      type: 'kept-previous',
      error: { message: 'oops' },
    });
    expect(await resultOf(app.byId('flow'))).toBe('old');
    expect(await app.save({ [FLOW]: flow('mended') })).toMatchObject({ type: 'reloaded' });
    expect(await resultOf(app.byId('flow'))).toBe('mended');
  });

  it('that throws while it is composed leaves no composer open, which every later step would join', async () => {
    const app = await workflowProject({ [FLOW]: flow('old') });
    const open = `${SDK} createWorkflow('flow', () => { throw new Error('oops'); });`;
    await app.save({ [FLOW]: open });
    const outside = `${SDK} createStep('outside', async () => {})();`;
    expect(await app.save({ [FLOW]: outside })).toMatchObject({
      type: 'kept-previous',
      error: { message: expect.stringContaining('createWorkflow') },
    });
  });

  it('is as it was if a file after it throws', async () => {
    const app = await workflowProject({
      [FLOW]: flow('old'),
      [OTHER]: flow('other', { id: 'other' }),
    });
    await app.save({ [FLOW]: flow('new'), [OTHER]: `throw new Error('oops');` });
    expect(await resultOf(app.byId('flow'))).toBe('old');
    expect(await resultOf(app.byId('other'))).toBe('other');
  });

  it('comes with its file, and goes with it', async () => {
    const app = await workflowProject({ [FLOW]: flow('first') });
    expect(await app.save({ [OTHER]: flow('other', { id: 'other' }) })).toMatchObject({
      resources: ['workflow other (added)'],
    });
    expect(await resultOf(app.byId('other'))).toBe('other');
    expect(await app.save({}, { deleted: [OTHER] })).toMatchObject({
      resources: ['workflow other (removed)'],
    });
    expect(app.byId('other')).toBeUndefined();
    expect([...store.manager.workflows.keys()]).not.toContain('other');
  });

  it('with a new id is known by that one alone', async () => {
    const app = await workflowProject({ [FLOW]: flow('a') });
    expect(await app.save({ [FLOW]: flow('a', { id: 'renamed' }) })).toMatchObject({
      resources: ['workflow renamed (added)', 'workflow flow (removed)'],
    });
    expect([app.byId('flow'), await resultOf(app.byId('renamed'))]).toEqual([undefined, 'a']);
  });

  it('is not seen by others while its evaluation waits', async () => {
    const app = await workflowProject({
      [FLOW]: `import { answer } from '../lib/step'; ${flow("' + answer + '")}`,
      [STEP]: `export const answer = 'old';`,
    });
    const saved = app.save({
      [STEP]: `await new Promise((resolve) => { globalThis.goOn = resolve; }); export const answer = 'new';`,
    });
    await expect.poll(() => Reflect.has(globalThis, 'goOn')).toBe(true);
    expect(await resultOf(app.byId('flow'))).toBe('old');
    (Reflect.get(globalThis, 'goOn') as () => void)();
    await saved;
    expect(await resultOf(app.byId('flow'))).toBe('new');
  });

  it('of a module that goes on as it was stays the very same', async () => {
    const app = await workflowProject({
      [FLOW]: `import { a } from '../lib/step'; log(a); ${flow('kept')}`,
      [STEP]: `export const a = 1;`,
    });
    const before = store.manager.workflows.get('flow');
    await app.save({ [STEP]: `export const a = 1; 1;` });
    expect(app.takeEvaluated()).toEqual([STEP]);
    expect(store.manager.workflows.get('flow')).toBe(before);
  });

  it('of a package stays through a reload that fails, since a package is loaded once', async () => {
    const app = await workflowProject({ [FLOW]: flow('old') });
    const load = `require(${JSON.stringify(PACKAGE)});`;
    await app.save({ [FLOW]: `${load} throw new Error('oops');` });
    expect(await resultOf(app.byId('of a package'))).toBe('package');
    await app.save({ [FLOW]: flow('new') });
    expect(await resultOf(app.byId('of a package'))).toBe('package');
    workflows.unregister('of a package');
    expect(app.byId('of a package')).toBeUndefined();
  });
});

describe('two files with one id', () => {
  // Medusa accepts a second workflow with the same id only if it has the same steps.
  const twin = (answer: string) => `${SDK}
    const step = createStep('twin step', async () => new StepResponse('${answer}'));
    export const flow = createWorkflow('twin', () => new WorkflowResponse(step()));`;

  const other = twin('other').replace('twin step', 'another step');

  it('have the steps of the last one run, and the other one serve when that is gone', async () => {
    const app = await workflowProject({ [FLOW]: twin('first'), [OTHER]: twin('last') });
    expect(await resultOf(app.byId('twin'))).toBe('last');
    await app.save({ [FLOW]: twin('new first') });
    expect(await resultOf(app.byId('twin'))).toBe('last');
    await app.save({ [OTHER]: flow('other', { id: 'other' }) });
    expect(await resultOf(app.byId('twin'))).toBe('new first');
  });

  it('must have the same steps', async () => {
    const app = await workflowProject({
      [FLOW]: twin('first'),
      [OTHER]: flow('other', { id: 'other' }),
    });
    expect(await app.save({ [OTHER]: other })).toMatchObject({
      type: 'kept-previous',
      error: { message: expect.stringContaining('already exists') },
    });
    expect(await resultOf(app.byId('twin'))).toBe('first');
  });

  it('must have the same steps even if one of them is not evaluated again', async () => {
    const app = await workflowProject({
      [FLOW]: `import { a } from '../lib/step'; log(a); ${twin('first')}`,
      [OTHER]: flow('other', { id: 'other' }),
      [STEP]: `export const a = 1;`,
    });
    const saved = await app.save({
      [STEP]: `export const a = 1; 1;`,
      [OTHER]: `import '../lib/step'; ${other}`,
    });
    expect(saved).toMatchObject({
      type: 'kept-previous',
      error: { message: expect.stringContaining('already exists') },
    });
  });
});

describe('a schedule', () => {
  const scheduled = (answer: string, cron: string) =>
    flow(answer, { options: `schedule: '${cron}'` });

  it('that is the same goes on, also with a new body', async () => {
    const app = await workflowProject({ [FLOW]: scheduled('a', '* * * * *') });
    schedules.splice(0);
    await app.save({ [FLOW]: scheduled('b', '* * * * *') });
    expect(schedules).toEqual([]);
  });

  it('that is different is set by the commit, and one that is gone is cleared', async () => {
    const app = await workflowProject({ [FLOW]: scheduled('a', '* * * * *') });
    expect(schedules.splice(0)).toEqual(['set flow "* * * * *"']);
    await app.save({ [FLOW]: scheduled('a', '1 * * * *') });
    expect(schedules.splice(0)).toEqual(['set flow "1 * * * *"']);
    await app.save({ [FLOW]: flow('a') });
    expect(schedules.splice(0)).toEqual(['clear flow']);
    await app.save({ [FLOW]: scheduled('a', '2 * * * *') });
    await app.save({}, { deleted: [FLOW] });
    expect(schedules).toEqual(['set flow "2 * * * *"', 'clear flow']);
  });

  it('of a version that fails is never set', async () => {
    const app = await workflowProject({ [FLOW]: flow('a') });
    await app.save({ [FLOW]: `${scheduled('a', '* * * * *')} throw new Error('oops');` });
    expect(schedules).toEqual([]);
  });
});

describe('`defineFileConfig`', () => {
  it('takes the workflows of its file from the engine, until it is gone', async () => {
    const app = await workflowProject({ [FLOW]: flow('a') });
    await app.save({ [FLOW]: `defineFileConfig({ isDisabled: () => true }); ${flow('b')}` });
    expect(app.byId('flow')).toBeUndefined();
    // Its importers can run it, as after a boot.
    expect(await resultOf(app.workflow(FLOW))).toBe('b');
    await app.save({ [FLOW]: flow('c') });
    expect(await resultOf(app.byId('flow'))).toBe('c');
  });

  it('stays if its file was not evaluated again', async () => {
    const app = await workflowProject({
      [FLOW]: `import { a } from '../lib/step'; log(a); ${flow('kept')}`,
      [STEP]: `export const a = 1;`,
    });
    const source = `import { a } from '../lib/step'; log(a); defineFileConfig({ isDisabled: () => true }); ${flow('x')}`;
    await app.save({ [FLOW]: source });
    await app.save({ [STEP]: `export const a = 1; 1;` });
    expect(app.byId('flow')).toBeUndefined();
  });
});

it('an index file is left alone if this Medusa does not load it', () => {
  const accepts = (loadsIndexFiles: boolean, file: string) =>
    new WorkflowsReloader({ loadsIndexFiles } as never).accepts(file);
  expect(accepts(true, '/shop/src/workflows/a/index.ts')).toBe(true);
  expect(accepts(false, '/shop/src/workflows/a/index.ts')).toBe(false);
  expect(accepts(false, '/shop/src/workflows/a.ts')).toBe(true);
});

describe('a handler of a hook', () => {
  const withHook = (text = '') => `${SDK}
    const step = createStep('first', async () => new StepResponse('${text}'));
    export const flow = createWorkflow('flow', () => {
      const answer = step();
      const done = createHook('done', { answer });
      return new WorkflowResponse(answer, { hooks: [done] });
    });`;
  const handler = (text: string) =>
    `import { flow } from './flow'; flow.hooks.done(async () => log('${text}'));`;
  const linesOf = async (app: Awaited<ReturnType<typeof workflowProject>>) => {
    await app.byId('flow')?.run({});
    return takeLines();
  };

  it('is the next version, and the only one, however often it changes', async () => {
    const app = await workflowProject({ [FLOW]: withHook(), [HOOK]: handler('old') });
    expect(await linesOf(app)).toEqual(['old']);
    for (const text of ['second', 'third']) {
      expect(await app.save({ [HOOK]: handler(text) })).toMatchObject({
        resources: ['hook flow.done'],
      });
      expect(await linesOf(app)).toEqual([text]);
    }
  });

  it('is called by the next version of the workflow', async () => {
    const app = await workflowProject({ [FLOW]: withHook('a'), [HOOK]: handler('handled') });
    await app.save({ [FLOW]: withHook('b') });
    expect(await linesOf(app)).toEqual(['handled']);
  });

  it('goes with its file', async () => {
    const app = await workflowProject({ [FLOW]: withHook(), [HOOK]: handler('old') });
    expect(await app.save({}, { deleted: [HOOK] })).toMatchObject({
      resources: ['hook flow.done (removed)'],
    });
    expect(await linesOf(app)).toEqual([]);
    await app.save({ [HOOK]: handler('back') });
    expect(await linesOf(app)).toEqual(['back']);
  });

  it('stays if the next version throws', async () => {
    const app = await workflowProject({ [FLOW]: withHook(), [HOOK]: handler('old') });
    await app.save({ [HOOK]: `${handler('new')} throw new Error('oops');` });
    expect(await linesOf(app)).toEqual(['old']);
  });

  it('is one only: a second file is refused', async () => {
    const app = await workflowProject({ [FLOW]: withHook(), [HOOK]: handler('first') });
    const saved = await app.save({ [OTHER]: handler('second') });
    expect(saved).toMatchObject({ type: 'kept-previous' });
    expect(await linesOf(app)).toEqual(['first']);
  });

  it('of a file that goes on as it was stays', async () => {
    const app = await workflowProject({
      [FLOW]: withHook(),
      [HOOK]: `import { a } from '../lib/step'; log(a); ${handler('kept')}`,
      [STEP]: `export const a = 1;`,
    });
    takeLines();
    expect(await app.save({ [STEP]: `export const a = 1; 1;` })).toMatchObject({ resources: [] });
    expect(await linesOf(app)).toEqual(['kept']);
  });
});
