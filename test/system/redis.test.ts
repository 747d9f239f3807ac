import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SHOP } from '../e2e/support/repository.ts';
import { useShop } from '../e2e/support/shop.ts';
import { until } from '../e2e/support/until.ts';
import { witnessOf } from '../e2e/support/witness.ts';
import { startRedis } from './support/redis.ts';

const SUBSCRIBER = 'src/subscribers/redis-probe.ts';
const JOB = 'src/jobs/redis-probe.ts';
const WORKFLOW = 'src/workflows/redis-probe.ts';
const SERVICE = 'src/modules/brand/service.ts';
const INTERVAL_MS = 300;
/** Starting and polling: what a queue of Redis adds to an interval. */
const SLACK_MS = 250;

const redis = await startRedis();
const config = readFileSync(join(SHOP, 'medusa-config.ts'), 'utf8').replace(
  'modules: [',
  `modules: [
    { resolve: '@medusajs/medusa/event-bus-redis', options: { redisUrl: '${redis.url}' } },
    {
      resolve: '@medusajs/medusa/workflow-engine-redis',
      options: { redis: { url: '${redis.url}', redisUrl: '${redis.url}' } },
    },`,
);

const subscriber = (version: string, event = 'redis.probe') => `
import { record } from '@lib/journal';
export default async function redisProbe(): Promise<void> {
  record({ by: '${SUBSCRIBER}', version: '${version}', note: '${event}' });
}
export const config = { event: '${event}' };
`;
const job = (version: string, interval = INTERVAL_MS) => `
import { record } from '@lib/journal';
export default async function redisProbe(): Promise<void> {
  record({ by: '${JOB}', version: '${version}', note: 'tick' });
}
export const config = { name: 'redis-probe', schedule: { interval: ${interval} } };
`;

const parked = `
import { createStep, createWorkflow, StepResponse, transform, WorkflowResponse } from '@medusajs/framework/workflows-sdk';

const parkStep = createStep({ name: 'park', async: true }, async () => {});
const lastStep = createStep('last', async () => new StepResponse('last v1'));

export const redisProbeWorkflow = createWorkflow('redis-probe', () => {
  const answer = parkStep();
  const last = lastStep();
  return new WorkflowResponse(transform({ answer, last }, (all) => ['v1', all.answer, all.last]));
});
`;

const shop = useShop({
  files: {
    'medusa-config.ts': config,
    [SUBSCRIBER]: subscriber('v1'),
    [JOB]: job('v1', 1_000_000),
    [WORKFLOW]: parked,
    'src/api/start/route.ts': `
export async function POST({ body: { id }, scope }: any, res: any): Promise<void> {
  await scope.resolve('workflows').run('redis-probe', { transactionId: id });
  res.json({});
}
`,
    'src/api/answer/route.ts': `
export async function POST({ body: { id }, scope }: any, res: any): Promise<void> {
  const { result } = await scope.resolve('workflows').setStepSuccess({
    idempotencyKey: { action: 'invoke', transactionId: id, stepId: 'park', workflowId: 'redis-probe' },
    stepResponse: 'answered',
  });
  res.json(result);
}
`,
    'src/api/emit/route.ts': `
export async function POST(req: any, res: any): Promise<void> {
  await req.scope.resolve('event_bus').emit({ name: req.body.name, data: {} });
  res.json({});
}
`,
  },
});
const witness = witnessOf(shop);
afterAll(() => redis.stop());

const save = (file: string, source: string) =>
  shop.dev.nextUpdate(file, () => shop.project.write(file, source));

describe('with Redis', () => {
  test('both ways to run a workflow have the new step', async () => {
    const file = 'src/workflows/make-slogan/steps/praise.ts';
    const update = await shop.dev.nextUpdate(file, () =>
      shop.project.edit(file, (source) => source.replace('is good', 'is excellent')),
    );
    expect(update).toMatchObject({ result: 'reloaded' });
    const slogan = '“Acme” is excellent.';
    await shop.answers('/slogan', { direct: { slogan }, engine: { slogan } });
  });

  test('an execution that waits finishes as it began', async () => {
    await witness.post('/start', { id: 'old' });
    await witness.post('/start', { id: 'gone' });
    await save(WORKFLOW, parked.replaceAll('v1', 'v2').replace("'last',", "'end',"));
    await witness.post('/start', { id: 'new' });
    const answer = async (id: string) => (await witness.post('/answer', { id })).body;
    expect(await answer('old')).toEqual(['v1', 'answered', 'last v1']);
    expect(await answer('new')).toEqual(['v2', 'answered', 'last v2']);
    await shop.dev.nextUpdate(WORKFLOW, () => shop.project.remove(WORKFLOW));
    expect(await answer('gone')).toEqual(['v1', 'answered', 'last v1']);
  });

  test('an event reaches the new subscriber once, under its old and its new name', async () => {
    for (const version of ['v2', 'v3', 'v4']) {
      expect(await save(SUBSCRIBER, subscriber(version))).toMatchObject({ result: 'reloaded' });
    }
    const first = await witness.now();
    await witness.post('/emit', { name: 'redis.probe' });
    expect(await witness.recorded(first, SUBSCRIBER)).toMatchObject([{ version: 'v4' }]);

    await save(SUBSCRIBER, subscriber('v5', 'redis.probe.renamed'));
    const second = await witness.now();
    await witness.post('/emit', { name: 'redis.probe' });
    await witness.post('/emit', { name: 'redis.probe.renamed' });
    await witness.recorded(second, SUBSCRIBER);
    const entries = await witness.entries(second, SUBSCRIBER);
    expect(entries).toMatchObject([{ version: 'v5', note: 'redis.probe.renamed' }]);
  });

  test('a job keeps one chain of ticks over new bodies, and a deleted one stops', async () => {
    await save(JOB, job('v2'));
    for (const version of ['v3', 'v4', 'v5']) {
      await save(JOB, job(version));
    }
    const entries = await witness.recorded(await witness.now(), JOB, 5);
    const gaps = entries
      .slice(1)
      .map(({ at }, index) => Date.parse(at) - Date.parse(entries[index]?.at ?? ''));
    expect(entries.at(-1)).toMatchObject({ version: 'v5' });
    // Two chains would halve the gaps.
    expect(gaps.toSorted((a, b) => a - b).at(Math.floor(gaps.length / 2))).toBeGreaterThan(
      INTERVAL_MS / 2,
    );

    await shop.dev.nextUpdate(JOB, () => shop.project.remove(JOB));
    const last = await witness.now();
    const until_ = Date.now() + 3 * (INTERVAL_MS + SLACK_MS);
    await until(
      () => Date.now(),
      (now) => now > until_,
    );
    expect((await witness.entries(last, JOB)).length).toBeLessThanOrEqual(1);
  });

  test('the number of Redis clients is the same after 200 reloads', async () => {
    const before = await redis.clients();
    const service = shop.project.read(SERVICE);
    for (let count = 0; count < 50; count++) {
      const version = `again ${count}`;
      const saves: [file: string, source: string][] = [
        [SUBSCRIBER, subscriber(version, `redis.again.${count}`)],
        [JOB, job(version, 500_000 + count)],
        [WORKFLOW, parked.replaceAll('v1', version)],
        [SERVICE, `${service}\nvoid ${count};\n`],
      ];
      for (const [file, source] of saves) {
        expect(await save(file, source)).toMatchObject({ result: 'reloaded' });
      }
    }
    await expect.poll(() => redis.clients()).toBeLessThanOrEqual(before);
  });
});
