import { beforeAll, describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';
import { until } from './support/until.ts';
import { PROBE, witnessOf } from './support/witness.ts';

const INDEX = 'src/modules/brand/index.ts';
const SERVICE = 'src/modules/brand/service.ts';
const HANDLE = 'src/modules/brand/handle.ts';
const LOADER = 'src/modules/brand/loaders/check-options.ts';
const PROVIDER = 'src/modules/journal-provider/service.ts';
const PROVIDER_INDEX = 'src/modules/journal-provider/index.ts';
const MODEL = 'src/modules/brand/models/brand.ts';
const MIGRATION = 'src/modules/brand/migrations/Migration20261121110742.ts';

const REACH = 'src/api/reach/route.ts';

const shop = useShop({
  files: {
    ...PROBE,
    // Every way to the service that Medusa offers, without an import of the module.
    'src/workflows/reach.ts': `
import { createStep, createWorkflow, StepResponse, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
const step = createStep('reach', async (name: string, { container }) =>
  new StepResponse((container.resolve('brand') as any).describe(name)));
export const reachWorkflow = createWorkflow('reach', (name: string) => new WorkflowResponse(step(name)));
`,
    // By any alias that the joiner config gives, from what was resolved before a change and after it.
    'src/api/by/[alias]/route.ts': `
import { createStep, createWorkflow, StepResponse, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
const ask = async (query: any, entity: string) => (await query.graph({
  entity, fields: ['name', 'products.handle'], filters: { name: 'acme' },
})).data;
const step = createStep('by-alias', async (alias: string, { container }) =>
  new StepResponse(await ask(container.resolve('query'), alias)));
createWorkflow('by-alias', (alias: string) => new WorkflowResponse(step(alias)));
let kept: any;
export async function GET(req: any, res: any) {
  kept ??= req.scope.resolve('query');
  const answers = [
    () => ask(req.scope.resolve('query'), req.params.alias),
    () => ask(kept, req.params.alias),
    () => kept({ entryPoint: req.params.alias, fields: ['name'], variables: { filters: { name: 'acme' } } }),
    async () => (await req.scope.resolve('workflows').run('by-alias', { input: req.params.alias })).result,
  ].map((answer) => answer().then((found: any) => found[0].name, (error: Error) => error.message));
  res.json(await Promise.all(answers));
}
`,
    // An id as the data model makes it.
    'src/api/new-id/route.ts': `
export async function GET(req: any, res: any) {
  const brands = req.scope.resolve('brand');
  const { id } = await brands.createBrands({ name: 'short-lived', handle: 'short-lived' });
  await brands.deleteBrands(id);
  res.json(id);
}
`,
    [REACH]: `
import { reachWorkflow } from '../../workflows/reach';
export async function GET(req: any, res: any) {
  const engine = req.scope.resolve('workflows');
  const query = req.scope.resolve('query');
  const { data: [brand] } = await query.graph({ entity: 'brand', fields: ['*'], filters: { name: 'acme' } });
  res.json({
    direct: req.scope.resolve('brand').describe('a'),
    workflow: (await reachWorkflow(req.scope).run({ input: 'a' })).result,
    engine: (await engine.run('reach', { input: 'a' })).result,
    graph: brand,
  });
}
`,
  },
});
const witness = witnessOf(shop);
let registeredBefore: object;
let shelfBefore: unknown;

beforeAll(async () => {
  registeredBefore = await witness.registered();
  shelfBefore = (await shop.dev.get('/shelf')).body;
});

const reach = async () =>
  (await shop.dev.get('/reach')).body as Record<'direct' | 'workflow' | 'engine' | 'graph', object>;

/** Adds members to the service class. */
const withMembers = (members: string) => (source: string) =>
  source.replace('describe(name', `${members}\n\n  describe(name`);

describe('a service', () => {
  test('is new in every way that leads to it, and the links still work', async () => {
    await shop.hot([SERVICE, INDEX], async () => {
      const update = await shop.dev.nextUpdate(SERVICE, () =>
        shop.project.edit(SERVICE, (source) =>
          withMembers(`
  async listBrands(...args: any[]): Promise<any> {
    const brands = await (super.listBrands as any)(...args);
    return brands.map((brand: any) => ({ ...brand, country: 'from the new service' }));
  }
  async listAndCountBrands(...args: any[]): Promise<any> {
    return [[], 4711];
  }`)(source).replace('tagline: this.#options.tagline', "tagline: 'new ' + this.#options.tagline"),
        ),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [SERVICE] });
      // Who imports the module's index for its name only goes on as it was.
      expect(update).toHaveProperty('resources', ['module brand']);
    });
    const { direct, workflow, engine, graph } = await reach();
    for (const description of [direct, workflow, engine]) {
      expect(description).toMatchObject({ tagline: 'new made with care' });
    }
    expect(graph).toMatchObject({ name: 'acme', country: 'from the new service' });
    expect((await shop.dev.get('/shelf')).body).toMatchObject(shelfBefore as object);
    const seq = await witness.now();
    const counted = await witness.recorded(seq, 'src/jobs/count-brands.ts');
    expect(counted[0]).toMatchObject({ note: '4711 Brands' });
  });

  test('uses the new version of a helper', async () => {
    await shop.hot([HANDLE, SERVICE, INDEX], async () => {
      await shop.dev.nextUpdate(HANDLE, () =>
        shop.project.edit(HANDLE, (source) => source.replace("'-')", "'--')")),
      );
      expect((await shop.dev.get('/describe/a b')).body).toMatchObject({
        description: { handle: 'a--b' },
      });
    });
  });

  test('starts and ends with its hooks, once each', async () => {
    const hooks = (version: string) =>
      `__hooks = {
    onApplicationStart: async () => note('start'),
    onApplicationPrepareShutdown: async () => note('prepare'),
    onApplicationShutdown: async () => note('end'),
  };`
        .replaceAll("note('", `record({ by: 'hooks', version: '${version}', note: '`)
        .replaceAll("'),", "' }),");
    const original = shop.project.read(SERVICE);
    const withHooks = (version: string) =>
      withMembers(hooks(version))(original).replace(
        'import { toHandle }',
        "import { record } from '@lib/journal';\nimport { toHandle }",
      );
    const save = (source: string) =>
      shop.dev.nextUpdate(SERVICE, () => shop.project.write(SERVICE, source));
    const seq = await witness.now();
    for (const version of ['one', 'number two']) {
      expect((await save(withHooks(version))).result).toBe('reloaded');
    }
    await save(original);
    const entries = await witness.entries(seq, 'hooks');
    expect(entries.map(({ version, note }) => `${version}: ${note}`)).toEqual([
      'one: start',
      'one: prepare',
      'one: end',
      'number two: start',
      'number two: prepare',
      'number two: end',
    ]);
  });

  test('whose hook throws when it ends has made way all the same', async () => {
    const original = shop.project.read(SERVICE);
    const failing = withMembers(
      "__hooks = { onApplicationShutdown: async () => { throw new Error('does not end') } };",
    )(original);
    const save = (source: string) =>
      shop.dev.nextUpdate(SERVICE, () => shop.project.write(SERVICE, source));
    expect((await save(failing)).result).toBe('reloaded');
    expect((await save(original)).result).toBe('reloaded');
    await until(
      () => shop.dev.output(),
      (output) => output.includes('does not end'),
    );
  });

  test.each([
    [
      'has a constructor that throws',
      (source: string) =>
        source.replace('this.#options = options;', "throw new Error('not constructed');"),
    ],
    ['does not parse', (source: string) => source.replace('describe(name', 'describe((name')],
    ['throws', (source: string) => `${source}\nthrow new Error('not today');\n`],
  ])('that %s is kept, and mended by the next save', async (_, damage) => {
    const original = shop.project.read(SERVICE);
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(SERVICE, () => shop.project.edit(SERVICE, damage));
    expect(update).toMatchObject({ result: 'kept-previous', error: { file: SERVICE } });
    expect((await reach()).direct).toMatchObject({ tagline: 'made with care' });
    const mended = await shop.dev.nextUpdate(SERVICE, () =>
      shop.project.write(SERVICE, original.replace('this.#options.tagline', "'mended'")),
    );
    expect(mended.result).toBe('reloaded');
    expect((await reach()).engine).toMatchObject({ tagline: 'mended' });
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('in use while it is replaced answers with one version', async () => {
    const { pid } = await shop.stats();
    for (let edit = 1; edit <= 5; edit++) {
      await shop.dev.nextUpdate(SERVICE, () =>
        shop.project.edit(SERVICE, (source) =>
          source.replace(/tagline: (?!string).*,/, `tagline: '${'x'.repeat(edit)}',`),
        ),
      );
    }
    expect((await reach()).direct).toMatchObject({ tagline: 'xxxxx' });
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
    expect((await shop.stats()).pid).toBe(pid);
  });
});

describe('a joiner config', () => {
  const by = async (alias: string) => (await shop.dev.get(`/by/${alias}`)).body;
  const always = (answer: unknown) => [answer, answer, answer, answer];
  const unknown = (alias: string) => always(`Service with alias "${alias}" was not found.`);

  /** Gives the service a joiner config of its own. */
  const withJoinerConfig = (options: string, more = '') => {
    const method = `__joinerConfig() {
    const config = defineJoinerConfig('brand', { models: [Brand], ${options} });
    return { ...config${more} };
  }`;
    return (source: string) =>
      withMembers(method)(source).replace(
        'import { MedusaService }',
        'import { defineJoinerConfig, MedusaService }',
      );
  };
  const aliases = (...names: string[]) =>
    withJoinerConfig(`alias: [{ name: ${JSON.stringify(names)}, entity: 'Brand' }]`);

  test('with other aliases answers by these, in the same process', async () => {
    const original = shop.project.read(SERVICE);
    expect(await by('brand')).toEqual(always('acme'));
    await shop.hot([SERVICE, INDEX], async () => {
      const update = await shop.dev.nextUpdate(SERVICE, () =>
        shop.project.write(SERVICE, aliases('brand', 'brands', 'maker')(original)),
      );
      expect(update).toMatchObject({ result: 'reloaded', files: [SERVICE] });
      expect(await by('maker')).toEqual(always('acme'));
      expect(await by('brand')).toEqual(always('acme'));
    });
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
    await shop.hot([SERVICE, INDEX], async () => {
      await shop.dev.nextUpdate(SERVICE, () =>
        shop.project.write(SERVICE, aliases('brand', 'brands', 'manufacturer')(original)),
      );
      expect(await by('manufacturer')).toEqual(always('acme'));
    });
    expect((await by('maker')) as string[]).toEqual(unknown('maker'));
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
    await shop.dev.nextUpdate(SERVICE, () => shop.project.write(SERVICE, original));
    expect(await by('manufacturer')).toEqual(unknown('manufacturer'));
    expect(await by('brand')).toEqual(always('acme'));
  });

  test.each([
    ['takes the alias of another module', aliases('brand', 'product'), /alias "product"/],
    [
      'has a schema that does not parse',
      withJoinerConfig('', ", schema: 'type {'"),
      /Syntax Error/,
    ],
  ])('that %s is kept, and mended by the next save', async (_, damage, message) => {
    const original = shop.project.read(SERVICE);
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(SERVICE, () => shop.project.edit(SERVICE, damage));
    expect(update).toMatchObject({
      result: 'kept-previous',
      error: { message: expect.stringMatching(message) },
    });
    expect(await by('brand')).toEqual(always('acme'));
    const mended = await shop.dev.nextUpdate(SERVICE, () =>
      shop.project.write(SERVICE, aliases('brand', 'brands', 'mended')(original)),
    );
    expect(mended.result).toBe('reloaded');
    expect(await by('mended')).toEqual(always('acme'));
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
    expect((await shop.stats()).pid).toBe(pid);
  });

  test('with another schema is live', async () => {
    await shop.hot([SERVICE, INDEX], async () => {
      const update = await shop.dev.nextUpdate(SERVICE, () =>
        shop.project.edit(
          SERVICE,
          withJoinerConfig('', ", schema: config.schema + ' type Slogan { text: String }'"),
        ),
      );
      expect(update.result).toBe('reloaded');
    });
    expect(await by('brand')).toEqual(always('acme'));
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
  });
});

describe('a module loader', () => {
  test('runs again with the options of the module', async () => {
    const seq = await witness.now();
    await shop.hot([LOADER, INDEX], async () => {
      const update = await shop.dev.nextUpdate(LOADER, () =>
        shop.project.edit(LOADER, (source) => source.replace("'v1'", "'second'")),
      );
      expect(update.result).toBe('reloaded');
    });
    expect(await witness.entries(seq, LOADER)).toMatchObject([
      { version: 'second', note: 'tagline: made with care' },
    ]);
  });

  test('that throws is kept', async () => {
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(LOADER, () =>
      shop.project.edit(LOADER, (source) =>
        source.replace('if (!options', "throw new Error('not loaded');\n  if (!options"),
      ),
    );
    expect(update).toMatchObject({ result: 'kept-previous', error: { message: 'not loaded' } });
    expect((await reach()).direct).toMatchObject({ tagline: 'made with care' });
    expect((await shop.stats()).pid).toBe(pid);
  });
});

describe('what a module loader registers', () => {
  const registering = (tone: string) => (source: string) =>
    `import { asFunction } from '@medusajs/framework/awilix';\n${source.replace(
      /\({\n {2}options,\n}: LoaderOptions.*{\n/,
      (head) =>
        `${head.replace('options,', 'options, container,')}  (container as any).register('tone', asFunction(() => '${tone}').singleton());\n`,
    )}`;
  const tagline = async () => (await reach()).direct as { tagline: string };

  test('is there for the service, and is taken back with the save that failed', async () => {
    const loader = shop.project.read(LOADER);
    const service = shop.project.read(SERVICE);
    const job = 'src/jobs/count-brands.ts';
    const { pid } = await shop.stats();
    const saveLoader = (tone: string) =>
      shop.dev.nextUpdate(LOADER, () => shop.project.write(LOADER, registering(tone)(loader)));
    expect((await saveLoader('one')).result).toBe('reloaded');
    await shop.dev.nextUpdate(SERVICE, () =>
      shop.project.edit(SERVICE, (source) =>
        source
          .replace(
            'this.#options = options;',
            'this.#options = options;\n    this.made = container.tone;',
          )
          .replace('describe(name', 'made: unknown;\n\n  describe(name')
          .replace(
            'tagline: this.#options.tagline',
            'tagline: `${this.made}, ${(this as any).__container__.tone}`',
          ),
      ),
    );
    expect(await tagline()).toMatchObject({ tagline: 'one, one' });
    expect((await saveLoader('two')).result).toBe('reloaded');
    expect(await tagline()).toMatchObject({ tagline: 'two, two' });

    const original = shop.project.read(job);
    // What was refused is part of the next save.
    const refused = { result: 'kept-previous', error: { file: job } };
    const unscheduled = original.replace(/schedule: .*,/, "schedule: 'never',");
    expect(
      await shop.dev.nextUpdate(job, () => shop.project.write(job, unscheduled)),
    ).toMatchObject(refused);
    expect(await saveLoader('three')).toMatchObject(refused);
    expect(await tagline()).toMatchObject({ tagline: 'two, two' });
    await shop.dev.nextUpdate(job, () => shop.project.write(job, original));
    expect(await tagline()).toMatchObject({ tagline: 'three, three' });
    expect((await shop.stats()).pid).toBe(pid);

    const update = await shop.dev.nextUpdate(LOADER, () => {
      shop.project.write(LOADER, loader);
      shop.project.write(SERVICE, service);
    });
    expect(update).toMatchObject({
      result: 'restarted',
      reason: 'a loader of the module brand does not register tone now',
    });
  });

  test('restarts where services of its own may hold it', async () => {
    const own = 'src/modules/brand/services/price.ts';
    const original = shop.project.read(LOADER);
    await shop.restarted(() =>
      shop.dev.nextUpdate(own, () =>
        shop.project.write(
          own,
          'export class PriceService { constructor(readonly made: { tone?: string }) {} }',
        ),
      ),
    );
    const { reason } = await shop.restarted(() =>
      shop.dev.nextUpdate(LOADER, () => shop.project.write(LOADER, registering('own')(original))),
    );
    expect(reason).toBe('services of the module brand may hold what its loaders register');
    await shop.dev.nextUpdate(own, () => shop.project.remove(own));
  });

  test('is made anew for a service whose predecessor has closed it', async () => {
    const { pid } = await shop.stats();
    const service = shop.project.read(SERVICE);
    const connecting = shop.project
      .read(LOADER)
      .replace(
        /\({\n {2}options,\n}: LoaderOptions.*{\n/,
        (head) =>
          `${head.replace('options,', 'options, container,')}  const link = { isOpen: true };\n  (container as any).register('link', { resolve: () => link });\n`,
      );
    const closing = (version: number) =>
      service
        .replace(
          'this.#options = options;',
          'this.#options = options;\n    this.link = container.link;',
        )
        .replace(
          'describe(name',
          `link: any;\n\n  __hooks = { onApplicationShutdown: async () => { this.link.isOpen = false; } };\n\n  describe(name`,
        )
        .replace('tagline: this.#options.tagline', `tagline: \`${version} \${this.link.isOpen}\``);
    const save = (file: string, source: string) =>
      shop.dev.nextUpdate(file, () => shop.project.write(file, source));
    expect((await save(LOADER, connecting)).result).toBe('reloaded');
    for (const version of [1, 22, 333]) {
      expect((await save(SERVICE, closing(version))).result).toBe('reloaded');
      expect(await tagline()).toMatchObject({ tagline: `${version} true` });
    }
    expect((await shop.stats()).pid).toBe(pid);
    await save(SERVICE, service);
  });
});

describe('a module provider', () => {
  async function notified(): Promise<object[]> {
    const seq = await witness.now();
    const { status } = await witness.post('/announce', {
      brand_id: (await reach()).graph['id' as never],
    });
    expect(status).toBe(202);
    return witness.recorded(seq, PROVIDER);
  }

  test('with another method is live', async () => {
    await shop.hot([PROVIDER, PROVIDER_INDEX], async () => {
      const update = await shop.dev.nextUpdate(PROVIDER, () =>
        shop.project.edit(PROVIDER, (source) => source.replace("'v1'", "'second'")),
      );
      expect(update).toMatchObject({
        result: 'reloaded',
        resources: ['provider journal-provider'],
      });
      expect(await notified()).toMatchObject([
        { version: 'second', note: 'brand-created to everyone, the shop' },
      ]);
    });
  });

  test('that throws is kept, and mended by the next save', async () => {
    const original = shop.project.read(PROVIDER);
    const { pid } = await shop.stats();
    const update = await shop.dev.nextUpdate(PROVIDER, () =>
      shop.project.edit(PROVIDER, (source) =>
        source.replace('super();', "super();\n    throw new Error('not constructed');"),
      ),
    );
    expect(update.result).toBe('kept-previous');
    expect(await notified()).toMatchObject([{ version: 'v1' }]);
    await shop.dev.nextUpdate(PROVIDER, () =>
      shop.project.write(PROVIDER, original.replace("'v1'", "'mended'")),
    );
    expect(await notified()).toMatchObject([{ version: 'mended' }]);
    expect((await shop.stats()).pid).toBe(pid);
  });
});

describe('a restart', () => {
  test('comes of another identifier of a provider', async () => {
    const reason = await restart(PROVIDER, (source) =>
      source.replace("identifier = 'journal'", "identifier = 'another-one'"),
    );
    expect(reason).toBe(
      'the provider journal-provider has another identifier, name, lifetime or validateOptions now',
    );
  });

  /** Saves, and tells the reason of the restart. */
  async function restart(file: string, change: (source: string) => string): Promise<string> {
    const { reason } = await shop.restarted(() =>
      shop.dev.nextUpdate(file, () => shop.project.edit(file, change)),
    );
    return reason;
  }

  test('comes of a change of what the links use', async () => {
    const reason = await restart(INDEX, (source) =>
      source.replace(
        'export default Module(BRAND_MODULE, {\n  service: BrandModuleService,\n  loaders: [checkOptions],\n});',
        'const brandModule = Module(BRAND_MODULE, {\n  service: BrandModuleService,\n  loaders: [checkOptions],\n});\nReflect.set(brandModule.linkable.brand, "extra", true);\nexport default brandModule;',
      ),
    );
    expect(reason).toContain(
      'src/modules/brand/index.ts changed, used by src/links/product-brand.ts',
    );
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
  });

  test('comes of a joiner config that the links are defined by', async () => {
    const reason = await restart(SERVICE, (source) =>
      withMembers(
        `listMakers(...args: any[]): any {
    return (this.listBrands as any)(...args);
  }
  __joinerConfig() {
    return defineJoinerConfig('brand', { models: [Brand], alias: [
      { name: ['brand', 'brands'], entity: 'Brand', args: { methodSuffix: 'Makers' } },
    ] });
  }`,
      )(source).replace('import { MedusaService }', 'import { defineJoinerConfig, MedusaService }'),
    );
    expect(reason).toBe(
      'the joiner config of the module brand changed, and is built into its links',
    );
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
  });

  test.each([
    ['a loader', 'loaders: [checkOptions]', 'loaders: [checkOptions, async () => {}]'],
    ['no loader', '  loaders: [checkOptions],\n', ''],
  ])('comes of a module with %s', async (_, before, after) => {
    const reason = await restart(INDEX, (source) => source.replace(before, after));
    expect(reason).toBe('the services or loaders of the module brand are others now');
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
  });

  test('comes of a change of a data model, with the commands to run', async () => {
    const output = shop.dev.output().length;
    const reason = await restart(MODEL, (source) =>
      source.replace("{ prefix: 'brand' }", "{ prefix: 'brnd' }"),
    );
    expect(reason).toBe('src/modules/brand/models/brand.ts changed');
    expect(shop.dev.output().slice(output)).toContain('npx medusa db:generate');
    expect((await shop.dev.get('/new-id')).body).toMatch(/^brnd_/);
    expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
  });

  test('comes of other options', async () => {
    const reason = await restart('config/brand-options.ts', (source) =>
      source.replace("'made with care'", "'made with more care'"),
    );
    expect(reason).toBe('config/brand-options.ts changed, used by medusa-config.ts (config)');
    expect((await reach()).graph).toMatchObject({ name: 'acme' });
    expect((await reach()).engine).toMatchObject({ tagline: 'made with more care' });
  });

  test('does not come of a migration, but a line that says what to run', async () => {
    const output = shop.dev.output().length;
    await shop.hot([], async () => {
      const update = await shop.dev.nextUpdate(MIGRATION, () =>
        shop.project.edit(MIGRATION, (source) => source.replace('cascade', 'restrict')),
      );
      expect(update.result).toBe('ignored');
    });
    expect(shop.dev.output().slice(output)).toContain('npx medusa db:migrate');
  });
});

test('what is registered is what was at the start', async () => {
  expect(await witness.registered()).toEqual(registeredBefore);
  expect((await shop.dev.get('/shelf')).body).toEqual(shelfBefore);
});
