import { beforeAll, describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';
import { PROBE, witnessOf } from './support/witness.ts';

const shop = useShop({ files: PROBE, hasAdmin: true });
const witness = witnessOf(shop);
let registeredBefore: object;

beforeAll(async () => {
  registeredBefore = await witness.registered();
});

/** One of each kind, those included that can only restart. */
const FILES = [
  'src/api/ping/route.ts',
  'src/api/middlewares.ts',
  'src/api/validators.ts',
  'src/lib/title-case.ts',
  'src/workflows/make-slogan/workflow.ts',
  'src/workflows/make-slogan/steps/praise.ts',
  'src/workflows/hooks/products-created.ts',
  'src/subscribers/brand-created.ts',
  'src/jobs/count-brands.ts',
  'src/modules/brand/index.ts',
  'src/modules/brand/service.ts',
  'src/modules/brand/loaders/check-options.ts',
  'src/modules/brand/models/brand.ts',
  'src/modules/journal-provider/service.ts',
  'src/links/product-brand.ts',
  'src/feature-flags/loud-greetings.ts',
  'config/brand-options.ts',
  'medusa-config.ts',
  'instrumentation.ts',
];

describe('a save that changes no code evaluates nothing', () => {
  test.each([
    ['comment', (source: string) => `${source}\n// Nothing but words.\n`],
    [
      'type',
      (source: string) => `${source}\ninterface Unused { a: string }\ntype Other = Unused;\n`,
    ],
    ['whitespace', (source: string) => `${source}\n\n\n`],
  ])('%s', async (_, change) => {
    await shop.hot([], async () => {
      for (const file of FILES) {
        const update = await shop.dev.nextUpdate(file, () => shop.project.edit(file, change));
        expect(update).toMatchObject({ result: 'ignored', files: [file] });
      }
    });
  });
});

describe('a change of a file that many use', () => {
  test('evaluates just these, although links and config import some of them', async () => {
    const file = 'src/lib/brand-label.ts';
    const evaluated = [
      file,
      'src/api/admin/brands/route.ts',
      'src/api/slogan/route.ts',
      'src/modules/brand/index.ts',
      'src/modules/brand/service.ts',
      'src/subscribers/brand-created.ts',
      'src/workflows/create-brand/steps/create-brand.ts',
      'src/workflows/create-brand/workflow.ts',
      'src/workflows/hooks/brand-created.ts',
      'src/workflows/make-slogan/steps/praise.ts',
      'src/workflows/make-slogan/workflow.ts',
    ];
    await shop.hot(evaluated, async () => {
      const update = await shop.dev.nextUpdate(file, () =>
        shop.project.edit(file, (source) => source.replace('“${', '«“${').replace('}”', '}”»')),
      );
      expect(update.result).toBe('reloaded');
    });
    const { status } = await witness.postAsAdmin('/admin/brands', { name: 'many users' });
    expect(status).toBe(201);
    const label = '«“Many Users”»';
    const entries = await witness.recorded(0, 'src/subscribers/brand-created.ts');
    expect(entries).toMatchObject([{ note: label }]);
    expect(await witness.entries(0, 'src/workflows/hooks/brand-created.ts')).toMatchObject([
      { note: label },
    ]);
    expect((await shop.dev.get('/describe/many users')).body).toMatchObject({
      description: { label: `${label}®` },
    });
    expect((await shop.dev.get('/slogan')).body).toMatchObject({
      direct: { slogan: '«“Acme”» is good.' },
      engine: { slogan: '«“Acme”» is good.' },
    });
  });

  test('is all or nothing: one that throws keeps all of the others, and nothing of them is registered', async () => {
    const { pid } = await shop.stats();
    const broken = 'src/jobs/count-brands.ts';
    const label = 'src/lib/brand-label.ts';
    const added = (name: string, source: string): [string, string] => [
      name,
      `import { record } from '@lib/journal';\n${source}`,
    ];
    const whole = shop.project.read(broken);
    const files: [file: string, source: string][] = [
      // What was refused is part of each save that follows.
      [broken, `${whole}\nthrow new Error('not today');\n`],
      [label, shop.project.read(label).replace('titleCase(name)', 'name.toUpperCase()')],
      added('src/workflows/together.ts', TOGETHER_WORKFLOW),
      added('src/workflows/hooks/together.ts', TOGETHER_HOOK),
      added('src/subscribers/together.ts', TOGETHER_SUBSCRIBER),
      added('src/jobs/together.ts', TOGETHER_JOB),
      added(
        'src/api/together/route.ts',
        "export const GET = (_req: any, res: any) => res.json('together');",
      ),
    ];
    const slogan = (await shop.dev.get('/slogan')).body;
    const registered = await witness.registered();

    for (const [file, source] of files) {
      const update = await shop.dev.nextUpdate(file, () => shop.project.write(file, source));
      expect(update, file).toMatchObject({ result: 'kept-previous', error: { file: broken } });
    }
    expect((await shop.dev.get('/slogan')).body).toEqual(slogan);
    expect((await shop.dev.get('/together')).status).toBe(404);
    expect(await witness.registered()).toEqual(registered);

    await shop.dev.nextUpdate(broken, () => shop.project.write(broken, `${whole}\nvoid 0;\n`));
    expect((await shop.dev.get('/slogan')).body).toMatchObject({
      direct: { slogan: '“ACME” is good.' },
      engine: { slogan: '“ACME” is good.' },
    });
    expect((await shop.dev.get('/together')).body).toBe('together');
    const { workflows, schedules, subscribers } = await witness.probe();
    expect(workflows).toHaveProperty('together');
    expect(schedules).toHaveProperty('job-together');
    expect(subscribers).toHaveProperty(['together.happened']);
    expect((await shop.stats()).pid).toBe(pid);
  });
});

const TOGETHER_WORKFLOW = `
import { createStep, createWorkflow, StepResponse, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
const step = createStep('together-step', async () => new StepResponse(record.name));
export const together = createWorkflow('together', () => new WorkflowResponse(step()));
`;
const TOGETHER_HOOK = `
import { createProductCategoriesWorkflow } from '@medusajs/medusa/core-flows';
createProductCategoriesWorkflow.hooks.categoriesCreated(async () => {
  record({ by: 'together', version: 'v1', note: 'hook' });
});
`;
const TOGETHER_SUBSCRIBER = `
export default async () => record({ by: 'together', version: 'v1', note: 'event' });
export const config = { event: 'together.happened' };
`;
const TOGETHER_JOB = `
export default async () => record({ by: 'together', version: 'v1', note: 'tick' });
export const config = { name: 'together', schedule: '0 0 1 1 *' };
`;

test('a file in the folder of the admin that the backend imports is new in the backend as well', async () => {
  const limits = 'src/admin/lib/limits.ts';
  const route = 'src/api/limits/route.ts';
  const save = (file: string, source: string) =>
    shop.dev.nextUpdate(file, () => shop.project.write(file, source));
  expect((await save(limits, 'export const limit = 1;')).result).toBe('ignored');
  await save(
    route,
    `import { limit } from '../../admin/lib/limits';
export const GET = (_req: any, res: any) => res.json(limit);`,
  );
  expect((await shop.dev.get('/limits')).body).toBe(1);
  expect(await save(limits, 'export const limit = 22;')).toMatchObject({
    result: 'reloaded',
    resources: ['route GET /limits'],
  });
  expect((await shop.dev.get('/limits')).body).toBe(22);
  await shop.dev.nextUpdate(route, () => shop.project.remove(route));
});

describe('a route', () => {
  const FILE = 'src/api/ping/route.ts';

  test('that is switched off does not answer until it is switched on', async () => {
    const original = shop.project.read(FILE);
    const switchable = (isDisabled: boolean) => `
import { defineFileConfig } from '@medusajs/framework/utils';
defineFileConfig({ isDisabled: () => ${isDisabled} });
${original}`;
    const save = (source: string) =>
      shop.dev.nextUpdate(FILE, () => shop.project.write(FILE, source));
    await shop.hot([FILE], async () => {
      await save(switchable(true));
      expect((await shop.dev.get('/ping')).status).toBe(404);
    });
    await shop.hot([FILE], async () => {
      await save(switchable(false));
      expect((await shop.dev.get('/ping')).status).toBe(200);
    });
    await save(switchable(true));
    expect((await shop.dev.get('/ping')).status).toBe(404);
  });
});

test('what is registered is what was at the start', async () => {
  expect(await witness.registered()).toEqual(registeredBefore);
});
