import { beforeAll, describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';
import { PROBE, witnessOf } from './support/witness.ts';

const PRAISE = 'src/workflows/make-slogan/steps/praise.ts';
const SLOGAN = 'src/workflows/make-slogan/workflow.ts';
const SLOGAN_ROUTE = 'src/api/slogan/route.ts';
const BRAND = 'src/workflows/create-brand/workflow.ts';
const BRAND_STEP = 'src/workflows/create-brand/steps/create-brand.ts';
const BRAND_HOOK = 'src/workflows/hooks/brand-created.ts';
const BRANDS_ROUTE = 'src/api/admin/brands/route.ts';
const PRODUCTS_HOOK = 'src/workflows/hooks/products-created.ts';
const OUTER = 'src/workflows/campaign/workflow.ts';
const OUTER_ROUTE = 'src/api/campaign/route.ts';
const SLOW = 'src/workflows/slow/workflow.ts';
const SLOW_STEP = 'src/workflows/slow/step.ts';
const SLOW_HOOK = 'src/workflows/slow/hook.ts';
const SLOW_ROUTE = 'src/api/slow/route.ts';

const evaluations = (file: string) => `
import { countEvaluation } from '@lib/evaluations';
countEvaluation('${file}');
`;

/** One workflow inside another, and one that takes as long as the test wants. */
const files = {
  ...PROBE,
  [OUTER]: `${evaluations(OUTER)}
import { createWorkflow, transform, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
import { makeSloganWorkflow } from '../make-slogan/workflow';

export const campaignWorkflow = createWorkflow('campaign', (input: { name: string }) => {
  const made = makeSloganWorkflow.runAsStep({ input });
  return new WorkflowResponse(transform({ made }, ({ made }) => 'Buy now: ' + made.slogan));
});
`,
  [OUTER_ROUTE]: `${evaluations(OUTER_ROUTE)}
import { campaignWorkflow } from '../../workflows/campaign/workflow';

export async function GET(req: any, res: any) {
  const input = { name: 'acme' };
  const direct = await campaignWorkflow(req.scope).run({ input });
  const engine = await req.scope.resolve('workflows').run('campaign', { input });
  res.json([direct.result, engine.result]);
}
`,
  'src/api/engine/[id]/route.ts': `
export async function GET(req: any, res: any) {
  res.json((await req.scope.resolve('workflows').run(req.params.id, {})).result);
}
`,
  [SLOW_STEP]: `${evaluations(SLOW_STEP)}
import { record } from '@lib/journal';
import { createStep, StepResponse } from '@medusajs/framework/workflows-sdk';

export const waitStep = createStep('wait', async () => {
  record({ by: 'slow', version: 'v1', note: 'waiting' });
  await new Promise((resolve) => { (globalThis as any).endWaiting = resolve; });
  return new StepResponse('waited v1');
});

export const endStep = createStep('end', async (input: { fails: boolean }) => {
  if (input.fails) {
    throw new Error('as asked');
  }
  return new StepResponse('ended v1');
});

export const compensatedStep = createStep(
  'compensated',
  async () => new StepResponse('done', 'done'),
  async () => record({ by: 'slow', version: 'v1', note: 'compensated' }),
);
`,
  [SLOW]: `${evaluations(SLOW)}
import { createHook, createWorkflow, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
import { compensatedStep, endStep, waitStep } from './step';

export const slowWorkflow = createWorkflow('slow', (input: { fails: boolean }) => {
  compensatedStep();
  const waited = waitStep();
  const slowWaited = createHook('slowWaited', { waited });
  const ended = endStep(input);
  return new WorkflowResponse({ waited, ended }, { hooks: [slowWaited] });
});
`,
  [SLOW_HOOK]: `${evaluations(SLOW_HOOK)}
import { record } from '@lib/journal';
import { slowWorkflow } from './workflow';

slowWorkflow.hooks.slowWaited(async () => {
  record({ by: 'slow', version: 'v1', note: 'hook' });
});
`,
  [SLOW_ROUTE]: `${evaluations(SLOW_ROUTE)}
import { slowWorkflow } from '../../workflows/slow/workflow';

export async function GET(req: any, res: any) {
  if (req.query.end) {
    (globalThis as any).endWaiting();
    res.json({});
    return;
  }
  const { result, errors } = await slowWorkflow(req.scope).run({
    input: { fails: !!req.query.fails },
    throwOnError: false,
  });
  res.json({ ...result, errors: errors.map(({ error }: any) => error.message) });
}
`,
};

const shop = useShop({ files });
const witness = witnessOf(shop);
let registeredBefore: Awaited<ReturnType<typeof witness.registered>>;

beforeAll(async () => {
  registeredBefore = await witness.registered();
});

/** Everything that runs the workflow: its export, the engine, and the workflow that has it as a step. */
const SLOGAN_USERS = [SLOGAN, SLOGAN_ROUTE, OUTER, OUTER_ROUTE];

const slogan = async () => (await shop.dev.get('/slogan')).body;
const twice = (slogan: unknown) => ({ direct: { slogan }, engine: { slogan } });

async function stepsOf(workflow: string): Promise<string[] | undefined> {
  return (await witness.probe()).workflows[workflow];
}

let brands = 0;
async function createBrand(): Promise<{ seq: number; status: number }> {
  const seq = await witness.now();
  const { status } = await witness.postAsAdmin('/admin/brands', { name: `brand no ${++brands}` });
  return { seq, status };
}

describe('a step', () => {
  test('with another body runs in every way there is', async () => {
    await shop.hot([PRAISE, ...SLOGAN_USERS], async () => {
      const update = await shop.dev.nextUpdate(PRAISE, () =>
        shop.project.edit(PRAISE, (source) => source.replace('is good', 'is much better')),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [PRAISE] });
      expect(update).toHaveProperty(
        'resources',
        expect.arrayContaining(['workflow make-slogan', 'workflow campaign', 'route GET /slogan']),
      );
      expect(await slogan()).toEqual(twice('“Acme” is much better.'));
      const campaign = 'Buy now: “Acme” is much better.';
      expect((await shop.dev.get('/campaign')).body).toEqual([campaign, campaign]);
    });
  });

  test('gets the new version of a helper', async () => {
    const file = 'src/lib/title-case.ts';
    const update = await shop.dev.nextUpdate(file, () =>
      shop.project.edit(file, (source) =>
        source.replace('toUpperCase()', 'toUpperCase().repeat(2)'),
      ),
    );
    expect(update.result).toBe('reloaded');
    expect(await slogan()).toEqual(twice('“AAcme” is good.'));
  });

  test('is compensated by its new version', async () => {
    await shop.hot([BRAND_STEP, BRAND, BRAND_HOOK, BRANDS_ROUTE], async () => {
      await shop.dev.nextUpdate(BRAND_STEP, () =>
        shop.project.edit(BRAND_STEP, (source) => source.replaceAll("'v1'", "'second'")),
      );
      const seq = await witness.now();
      const { status } = await witness.postAsAdmin('/admin/brands', {
        name: 'short lived',
        product_ids: ['prod_unknown'],
      });
      expect(status).toBe(404);
      expect(await witness.entries(seq, BRAND_STEP)).toMatchObject([
        { version: 'second', note: 'created “Short Lived”' },
        { version: 'second', note: 'compensated' },
      ]);
    });
  });
});

describe('a workflow', () => {
  test('with another transform runs in every way there is', async () => {
    await shop.hot(SLOGAN_USERS, async () => {
      await shop.dev.nextUpdate(SLOGAN, () =>
        shop.project.edit(SLOGAN, (source) => source.replace('}.`', '}!!`')),
      );
      expect(await slogan()).toEqual(twice('“Acme” is good!!'));
    });
  });

  test('with one more step runs it', async () => {
    await shop.hot(SLOGAN_USERS, async () => {
      await shop.dev.nextUpdate(SLOGAN, () =>
        shop.project.edit(SLOGAN, (source) =>
          source
            .replace(
              'import { createWorkflow',
              "import { createStep, StepResponse } from '@medusajs/framework/workflows-sdk';\nimport { createWorkflow",
            )
            .replace(
              'export const makeSlogan',
              "const shoutStep = createStep('shout', async (text: string) => new StepResponse(text.toUpperCase()));\nexport const makeSlogan",
            )
            .replace(
              'WorkflowResponse({ slogan })',
              'WorkflowResponse({ slogan: shoutStep(slogan) })',
            ),
        ),
      );
      expect(await slogan()).toEqual(twice('“ACME” IS GOOD.'));
      expect(await stepsOf('make-slogan')).toEqual(['praise-step', 'shout']);
    });
  });

  test('with a renamed step has just that one', async () => {
    await shop.hot([PRAISE, ...SLOGAN_USERS], async () => {
      await shop.dev.nextUpdate(PRAISE, () =>
        shop.project.edit(PRAISE, (source) => source.replace("'praise-step'", "'laud'")),
      );
      expect(await slogan()).toEqual(twice('“Acme” is good.'));
      expect(await stepsOf('make-slogan')).toEqual(['laud']);
    });
  });

  test('with another id is known by that one only', async () => {
    await shop.hot(SLOGAN_USERS, async () => {
      const update = await shop.dev.nextUpdate(SLOGAN, () =>
        shop.project.edit(SLOGAN, (source) => source.replace("'make-slogan'", "'coin-a-slogan'")),
      );
      expect(update).toHaveProperty(
        'resources',
        expect.arrayContaining([
          'workflow coin-a-slogan (added)',
          'workflow make-slogan (removed)',
        ]),
      );
      const { workflows, runners } = await witness.probe();
      expect([workflows['coin-a-slogan'], workflows['make-slogan']]).toEqual([
        ['praise-step'],
        undefined,
      ]);
      expect(runners).toContain('coin-a-slogan');
      expect(runners).not.toContain('make-slogan');
    });
  });

  test('that throws while it is composed leaves the old one running', async () => {
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(SLOGAN, () =>
      shop.project.edit(SLOGAN, (source) =>
        source
          // `config` writes to the definition of that id while the new one is composed.
          .replace('praiseStep(input)', "praiseStep(input).config({ name: 'laud' })")
          .replace('return new', "throw new Error('not composed');\n  return new"),
      ),
    );
    expect(update).toMatchObject({
      result: 'kept-previous',
      error: { message: 'not composed', file: SLOGAN },
    });
    expect(await slogan()).toEqual(twice('“Acme” is good.'));
    expect(await stepsOf('make-slogan')).toEqual(['praise-step']);

    await shop.dev.nextUpdate(SLOGAN, () =>
      shop.project.edit(SLOGAN, (source) =>
        source.replace("throw new Error('not composed');\n", '').replace('}.`', '}??`'),
      ),
    );
    expect(await slogan()).toEqual(twice('“Acme” is good??'));
    expect(await stepsOf('make-slogan')).toEqual(['praise-step', 'laud']);
    expect((await shop.stats()).pid).toBe(pid);
  });

  test.each([
    ['does not parse', (source: string) => source.replace('return new', 'return new new (')],
    ['throws', (source: string) => `${source}\nthrow new Error('not today');\n`],
  ])('whose step %s is kept, and mended by the next save', async (_, damage) => {
    const source = shop.project.read(PRAISE);
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(PRAISE, () => shop.project.edit(PRAISE, damage));
    expect(update.result).toBe('kept-previous');
    expect(await slogan()).toEqual(twice('“Acme” is good.'));
    await shop.dev.nextUpdate(PRAISE, () =>
      shop.project.write(PRAISE, source.replace('is good', 'is mended')),
    );
    expect(await slogan()).toEqual(twice('“Acme” is mended.'));
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('that runs while it is replaced finishes as it began', async () => {
    const seq = await witness.now();
    const first = shop.dev.get('/slow');
    await witness.recorded(seq, 'slow');
    await shop.hot([SLOW_STEP, SLOW, SLOW_HOOK, SLOW_ROUTE], async () => {
      await shop.dev.nextUpdate(SLOW_STEP, () =>
        shop.project.edit(SLOW_STEP, (source) => source.replaceAll('v1', 'second')),
      );
    });
    await shop.hot([SLOW_HOOK], async () => {
      await shop.dev.nextUpdate(SLOW_HOOK, () =>
        shop.project.edit(SLOW_HOOK, (source) => source.replaceAll('v1', 'second')),
      );
    });
    await shop.dev.get('/slow?end=1');
    expect((await first).body).toEqual({ waited: 'waited v1', ended: 'ended v1', errors: [] });
    const entries = await witness.entries(seq, 'slow');
    expect(entries).toMatchObject([
      { version: 'v1', note: 'waiting' },
      { version: 'v1', note: 'hook' },
    ]);

    const next = shop.dev.get('/slow?fails=1');
    await witness.recorded(entries.at(-1)?.seq ?? 0, 'slow');
    await shop.dev.get('/slow?end=1');
    expect((await next).body).toMatchObject({ errors: ['as asked'] });
    expect(await witness.entries(entries.at(-1)?.seq ?? 0, 'slow')).toMatchObject([
      { version: 'second', note: 'waiting' },
      { version: 'second', note: 'hook' },
      { version: 'second', note: 'compensated' },
    ]);
  });
});

describe('a workflow file', () => {
  const FRESH = 'src/workflows/fresh.ts';
  const fresh = (result: string) => `${evaluations(FRESH)}
import { createWorkflow, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
export const freshWorkflow = createWorkflow('fresh', () => new WorkflowResponse('${result}'));
`;

  test('that is added can be run by id, and not any more once it is deleted', async () => {
    await shop.hot([FRESH], async () => {
      const update = await shop.dev.nextUpdate(FRESH, () =>
        shop.project.write(FRESH, fresh('one')),
      );
      expect(update).toMatchObject({ result: 'reloaded', resources: ['workflow fresh (added)'] });
    });
    expect((await witness.probe()).runners).toContain('fresh');
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate(FRESH, () => shop.project.remove(FRESH));
      expect(update).toMatchObject({ result: 'reloaded', resources: ['workflow fresh (removed)'] });
    });
    const { workflows, runners } = await witness.probe();
    expect(workflows.fresh).toBeUndefined();
    expect(runners).not.toContain('fresh');
  });

  test('that shares its id with another serves when that one is gone, as after a start', async () => {
    const first = 'src/workflows/a-twin.ts';
    const last = 'src/workflows/z-twin.ts';
    const twin = (by: string) => `
import { createStep, createWorkflow, StepResponse, transform, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
const step = createStep('twin-step', async () => new StepResponse('step of ${by}'));
createWorkflow('twin', () => new WorkflowResponse(transform({ made: step() }, ({ made }) => made + ', result of ${by}')));
`;
    const save = (file: string, by: string) =>
      shop.dev.nextUpdate(file, () => shop.project.write(file, twin(by)));
    const remove = (file: string) => shop.dev.nextUpdate(file, () => shop.project.remove(file));
    const answer = async () => (await shop.dev.get('/engine/twin')).body;
    const { pid } = await shop.stats();
    await save(last, 'the last');
    await save(first, 'the first');
    expect(await answer()).toBe('step of the last, result of the first');
    await save(last, 'the last one');
    await save(first, 'the first one');
    expect(await answer()).toBe('step of the last one, result of the first one');
    expect((await shop.stats()).pid).toBe(pid);
    await shop.dev.nextUpdate('.env', () => shop.project.write('.env', 'FRESH=start'));
    expect(await answer()).toBe('step of the last one, result of the first one');

    await remove(last);
    expect(await answer()).toBe('step of the first one, result of the first one');
    await save(last, 'the last');
    await remove(first);
    expect(await answer()).toBe('step of the last, result of the last');
    const other = twin('another').replace("Workflow('twin'", "Workflow('another'");
    await save(first, 'the first');
    await shop.dev.nextUpdate(last, () => shop.project.write(last, other));
    expect(await answer()).toBe('step of the first, result of the first');
    await remove(first);
    await remove(last);
    const { workflows, runners } = await witness.probe();
    expect([...Object.keys(workflows), ...runners]).not.toContain('twin');
  });

  test('with a schedule runs on time, by its new schedule, and not when it is gone', async () => {
    const scheduled = (version: string, interval: number) => `${evaluations(FRESH)}
import { record } from '@lib/journal';
import { createStep, createWorkflow, StepResponse } from '@medusajs/framework/workflows-sdk';
const tick = createStep('tick', async () => {
  record({ by: 'fresh', version: '${version}', note: 'tick' });
  return new StepResponse(undefined);
});
export const freshWorkflow = createWorkflow(
  { name: 'fresh', schedule: { interval: ${interval} } },
  () => { tick(); },
);
`;
    const seq = await witness.now();
    await shop.hot([FRESH], async () => {
      await shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, scheduled('v1', 200)));
      await witness.recorded(seq, 'fresh', 2);
    });
    await shop.hot([FRESH], async () => {
      // The same timer goes on with the new code.
      await shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, scheduled('second', 200)));
      const entries = await witness.recorded(await witness.now(), 'fresh', 3);
      expect(entries.at(-1)).toMatchObject({ version: 'second' });
    });
    await shop.hot([FRESH], async () => {
      await shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, scheduled('third', 90_000)));
      expect((await witness.probe()).schedules.fresh).toMatchObject({ interval: 90_000 });
    });
    await shop.dev.nextUpdate(FRESH, () => shop.project.remove(FRESH));
    expect((await witness.probe()).schedules.fresh).toBeUndefined();
  });

  test('in a file with a top-level await comes with a restart, and so does its next version', async () => {
    const awaited = (version: string) => `
import { createStep, createWorkflow, StepResponse, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
const version = await Promise.resolve('${version}');
const step = createStep('awaited-step', async () => new StepResponse(version));
createWorkflow('fresh', () => new WorkflowResponse(step()));
`;
    for (const version of ['one', 'number two']) {
      const { reason } = await shop.restarted(() =>
        shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, awaited(version))),
      );
      expect(reason).toBe(`${FRESH} has a top-level await, and registers what it defines`);
      const { workflows } = await witness.probe();
      expect(workflows).toHaveProperty('fresh');
    }
    await shop.restarted(() => shop.dev.nextUpdate(FRESH, () => shop.project.remove(FRESH)));
    expect((await witness.probe()).workflows).not.toHaveProperty('fresh');
  });

  test('that is switched off is unknown to the engine until it is switched on', async () => {
    const switchable = (isDisabled: boolean) => `
import { defineFileConfig } from '@medusajs/framework/utils';
defineFileConfig({ isDisabled: () => ${isDisabled} });
${fresh('switched')}`;
    await shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, switchable(true)));
    expect((await witness.probe()).runners).not.toContain('fresh');
    await shop.hot([FRESH], async () => {
      await shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, switchable(false)));
      expect((await witness.probe()).runners).toContain('fresh');
    });
    await shop.hot([FRESH], async () => {
      await shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, switchable(true)));
      expect((await witness.probe()).runners).not.toContain('fresh');
    });
    // Nothing says any more that it is off.
    await shop.hot([FRESH], async () => {
      await shop.dev.nextUpdate(FRESH, () => shop.project.write(FRESH, fresh('on')));
      expect((await witness.probe()).runners).toContain('fresh');
    });
  });
});

describe('a hook', () => {
  const versions = async (seq: number, by: string) =>
    (await witness.entries(seq, by)).map(({ version }) => version);

  test('of the own workflow calls the new handler', async () => {
    await shop.hot([BRAND_HOOK], async () => {
      const update = await shop.dev.nextUpdate(BRAND_HOOK, () =>
        shop.project.edit(BRAND_HOOK, (source) => source.replace("'v1'", "'second'")),
      );
      expect(update).toHaveProperty(
        'resources',
        expect.arrayContaining(['hook create-brand.brandCreated']),
      );
      const { seq } = await createBrand();
      expect(await versions(seq, BRAND_HOOK)).toEqual(['second']);
    });
  });

  test('of the own workflow is still handled when the workflow has changed', async () => {
    await shop.hot([BRAND, BRAND_HOOK, BRANDS_ROUTE], async () => {
      await shop.dev.nextUpdate(BRAND, () =>
        shop.project.edit(BRAND, (source) =>
          source.replace(
            "createHook('brandCreated', { brand })",
            "createHook('brandCreated', { brand, links })",
          ),
        ),
      );
      const { seq } = await createBrand();
      expect(await versions(seq, BRAND_HOOK)).toEqual(['v1']);
    });
  });

  test.each([
    ['own', BRAND_HOOK],
    ['core', PRODUCTS_HOOK],
  ])('of a %s workflow is not handled while its file is gone', async (_, file) => {
    const source = shop.project.read(file);
    const trigger = file === BRAND_HOOK ? createBrand : createProduct;
    await shop.hot([], async () => {
      await shop.dev.nextUpdate(file, () => shop.project.remove(file));
      const { seq, status } = await trigger();
      expect(status).toBeLessThan(300);
      expect(await versions(seq, file)).toEqual([]);
    });
    await shop.hot([file], async () => {
      await shop.dev.nextUpdate(file, () => shop.project.write(file, source));
      const { seq } = await trigger();
      expect(await versions(seq, file)).toEqual(['v1']);
    });
  });

  test('of a core workflow calls the new handler', async () => {
    await shop.hot([PRODUCTS_HOOK], async () => {
      const update = await shop.dev.nextUpdate(PRODUCTS_HOOK, () =>
        shop.project.edit(PRODUCTS_HOOK, (source) => source.replace("'v1'", "'second'")),
      );
      expect(update).toMatchObject({
        result: 'reloaded',
        resources: ['hook create-products.productsCreated'],
      });
      const { seq, status } = await createProduct();
      expect(status).toBe(200);
      expect(await versions(seq, PRODUCTS_HOOK)).toEqual(['second']);
    });
  });

  test('is handled by one file only', async () => {
    const second = 'src/workflows/hooks/products-created-again.ts';
    const update = await shop.dev.nextUpdate(second, () =>
      shop.project.write(second, shop.project.read(PRODUCTS_HOOK).replaceAll("'v1'", "'other'")),
    );
    expect(update).toMatchObject({
      result: 'kept-previous',
      error: { message: 'Cannot define multiple hook handlers for the productsCreated hook' },
    });
    const { seq } = await createProduct();
    expect(await versions(seq, PRODUCTS_HOOK)).toEqual(['v1']);
  });

  test('that is edited again and again is handled once', async () => {
    const { pid } = await shop.stats();
    for (let edit = 1; edit <= 10; edit++) {
      await shop.dev.nextUpdate(PRODUCTS_HOOK, () =>
        shop.project.edit(PRODUCTS_HOOK, (source) =>
          source.replace(/version: '.*?'/, `version: '${'n'.repeat(edit)}'`),
        ),
      );
    }
    const { seq } = await createProduct();
    expect(await versions(seq, PRODUCTS_HOOK)).toEqual(['n'.repeat(10)]);
    expect((await shop.stats()).pid).toBe(pid);
  });

  let products = 0;
  async function createProduct(): Promise<{ seq: number; status: number }> {
    const seq = await witness.now();
    const { status } = await witness.postAsAdmin('/admin/products', {
      title: `Product ${++products}`,
      options: [{ title: 'Size', values: ['One'] }],
    });
    return { seq, status };
  }
});

test('what is registered is what was at the start', async () => {
  expect(await slogan()).toEqual(twice('“Acme” is good.'));
  expect(await witness.registered()).toEqual(registeredBefore);
});
