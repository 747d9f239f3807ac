import { describe, expect, it } from 'vitest';
import { JobsReloader } from '../../../../src/app/reloaders/jobs.ts';
import { type JobConfig, ScheduledJobs } from '../../../../src/medusa/events/scheduled-jobs.ts';
import type { WorkflowRegistry } from '../../../../src/medusa/workflows/workflow-registry.ts';
import { fakePackages } from '../support/fake-packages.ts';
import { project, ROOT, takeLines } from '../support/memory-app.ts';
import type { Files } from '../support/memory-host.ts';

const A = 'src/jobs/a.ts';
const B = 'src/jobs/b.ts';
const job = (text: string, { name = 'a', schedule = `'* * * * *'` } = {}) =>
  `export default async () => log('${text}'); export const config = { name: '${name}', schedule: ${schedule} };`;

interface Scheduled {
  schedule: unknown;
  handler(): unknown;
}

/** Jobs as `framework/dist/jobs/job-loader.js` registers them: each is a workflow by its name. */
async function jobProject(files: Files, { workerMode = 'shared' } = {}) {
  /** The scheduled jobs, by the name of their workflow. */
  const scheduled = new Map<string, Scheduled>();
  const log: string[] = [];
  class JobLoader {
    validateConfig(config: JobConfig | undefined) {
      if (!config?.schedule || !config.name) {
        throw new Error('Config is required for scheduled jobs.');
      }
    }
    register({
      config: { name, schedule },
      handler,
    }: {
      config: JobConfig;
      handler: () => unknown;
    }) {
      log.push(`register ${name}`);
      scheduled.set(`job-${name}`, { schedule, handler });
    }
  }
  const registry = {
    unregister: (id: string) => void scheduled.delete(id),
    clearSchedule: (id: string) => void log.push(`clear ${id}`),
  } as WorkflowRegistry;
  const cron = {
    parseExpression: (text: string) => {
      if (text.split(' ').length !== 5) {
        throw new Error(`Invalid cron ${text}`);
      }
    },
  };
  const packages = fakePackages(
    { '@medusajs/framework/dist/jobs/job-loader.js': { JobLoader } },
    { 'cron-parser': cron },
  );
  const container = { resolve: () => ({ projectConfig: { workerMode } }) };
  const jobs = new ScheduledJobs(packages, registry, () => container as never);
  const app = await project(files, { reloaders: [new JobsReloader(ROOT, jobs)] });
  for (const path of workerMode === 'server'
    ? []
    : app.host.paths.filter((one) => one.startsWith('src/jobs/'))) {
    const { config, default: handler } = (await app.load(path)) as {
      config: JobConfig;
      default(): unknown;
    };
    new JobLoader().register({ config, handler });
  }
  log.splice(0);
  const runJob = async (name: string) => {
    await scheduled.get(`job-${name}`)?.handler();
    return takeLines();
  };
  return Object.assign(app, { scheduled, runJob, log });
}

describe('the body of a job', () => {
  it('is swapped, and its timer goes on', async () => {
    const app = await jobProject({ [A]: job('old') });
    expect(await app.save({ [A]: job('new') })).toMatchObject({ resources: ['job a'] });
    expect([await app.runJob('a'), app.log]).toEqual([['new'], []]);
  });

  it('stays if the next one throws', async () => {
    const app = await jobProject({ [A]: job('old') });
    await app.save({ [A]: `${job('new')} throw new Error('oops')` });
    expect(await app.runJob('a')).toEqual(['old']);
  });

  it('may be missing: then it fails when it runs, as in stock', async () => {
    const app = await jobProject({ [A]: job('old') });
    await app.save({ [A]: `export const config = { name: 'a', schedule: '* * * * *' };` });
    await expect(app.runJob('a')).rejects.toThrow('no default export that is a function');
  });
});

describe('the schedule of a job', () => {
  it('is set anew when it is different', async () => {
    const app = await jobProject({ [A]: job('a') });
    await app.save({ [A]: job('b', { schedule: `{ interval: 5 }` }) });
    expect(app.scheduled.get('job-a')?.schedule).toEqual({ interval: 5 });
    expect([await app.runJob('a'), app.log]).toEqual([['b'], ['register a']]);
    // From then on, a new body is swapped into this one.
    await app.save({ [A]: job('c', { schedule: `{ interval: 5 }` }) });
    expect([await app.runJob('a'), app.log]).toEqual([['c'], ['register a']]);
  });

  it.each([
    ['no name', `export const config = { schedule: '* * * * *' };`, 'Config is required'],
    ['no config', `export default () => {};`, 'Config is required'],
    ['a cron that cannot be read', job('x', { schedule: `'soon'` }), 'Invalid cron soon'],
    ['the same in an object', job('x', { schedule: `{ cron: 'soon' }` }), 'Invalid cron soon'],
  ])('with %s keeps the previous one, and the file is named', async (_what, source, message) => {
    const app = await jobProject({ [A]: job('old') });
    expect(await app.save({ [A]: source })).toMatchObject({
      type: 'kept-previous',
      error: { message: expect.stringContaining(message), file: `${ROOT}/${A}` },
    });
    expect(await app.runJob('a')).toEqual(['old']);
  });

  it('comes with a new file, and goes with a deleted one', async () => {
    const app = await jobProject({});
    await app.save({ [A]: job('a') });
    expect(await app.runJob('a')).toEqual(['a']);
    expect(await app.save({}, { deleted: [A] })).toMatchObject({ resources: ['job a (removed)'] });
    expect([app.scheduled.size, app.log]).toEqual([0, ['register a', 'clear job-a']]);
  });

  it('goes while `defineFileConfig` switches the file off', async () => {
    const app = await jobProject({ [A]: job('a') });
    await app.save({ [A]: `defineFileConfig({ isDisabled: () => true }); ${job('off')}` });
    expect(app.scheduled.size).toBe(0);
    await app.save({ [A]: job('on') });
    expect(await app.runJob('a')).toEqual(['on']);
  });

  it('goes on under another name', async () => {
    const app = await jobProject({ [A]: job('a') });
    await app.save({ [A]: job('b', { name: 'b' }) });
    expect([...app.scheduled.keys()]).toEqual(['job-b']);
    expect(app.log).toEqual(['clear job-a', 'register b']);
  });
});

describe('two jobs', () => {
  it('may trade their names', async () => {
    const app = await jobProject({
      [A]: job('a', { name: 'one' }),
      [B]: job('b', { name: 'two' }),
    });
    await app.save({ [A]: job('a', { name: 'two' }), [B]: job('b', { name: 'one' }) });
    expect([await app.runJob('one'), await app.runJob('two')]).toEqual([['b'], ['a']]);
  });

  it('of one name: the one that a scan finds last runs, and the other one when that is gone', async () => {
    const app = await jobProject({ [A]: job('first'), [B]: job('last') });
    expect(await app.runJob('a')).toEqual(['last']);
    await app.save({ [A]: job('new first', { schedule: `'1 * * * *'` }) });
    expect(await app.runJob('a')).toEqual(['last']);
    await app.save({}, { deleted: [B] });
    expect(await app.runJob('a')).toEqual(['new first']);
    expect(app.log).not.toContain('clear job-a');
  });
});

it('an app that only serves requests has none', async () => {
  const app = await jobProject({ [A]: job('a') }, { workerMode: 'server' });
  expect(await app.save({ [A]: job('b') })).toMatchObject({ type: 'reloaded', resources: [] });
  expect(app.scheduled.size).toBe(0);
});

it('a helper beside the jobs is not a job', async () => {
  const app = await jobProject({ [A]: job('a') });
  await app.save({ 'src/jobs/_helper.ts': job('x', { name: 'x' }) });
  expect(app.scheduled.size).toBe(1);
});
