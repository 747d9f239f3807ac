import { posix } from 'node:path';
import ts from 'typescript';
import { type Code, type Model, SHOP_EDITS, type Workflow } from './model.ts';
import {
  BARREL_FILE,
  DATA_MODEL_FILE,
  dataFile,
  helperFile,
  hookFile,
  jobFile,
  LINK_FILE,
  MIDDLEWARE_FILE,
  OTHER_DATA_MODEL_FILE,
  PACKAGE_BARREL_FILE,
  PACKAGE_FOLDER,
  PACKAGE_NAME,
  PROVIDER_FILE,
  routeFile,
  SCHEMA_FILE,
  SERVICE_FILE,
  stepFile,
  subscriberFile,
  workflowFile,
} from './paths.ts';
import {
  activeHooks,
  barrelsOf,
  dataOf,
  isEager,
  isPackaged,
  namesOf,
  nestedOf,
  runsOf,
  stepsOf,
  viaOf,
  workflowId,
} from './reach.ts';

/** Reads the original text of a file of the shop. */
export type ReadOriginal = (file: string) => string;

/** The files of a model, by path; only files that differ between models. */
export function render(model: Model, original: ReadOriginal): Map<string, string> {
  const files = new Map<string, string>();
  for (const file of new Set(SHOP_EDITS.map((edit) => edit.file))) {
    files.set(file, original(file));
  }
  for (const file of [SERVICE_FILE, PROVIDER_FILE, MIDDLEWARE_FILE, DATA_MODEL_FILE]) {
    files.set(file, original(file));
  }
  for (const edit of SHOP_EDITS) {
    const version = model.shop[edit.file];
    if (version !== undefined) {
      files.set(
        edit.file,
        replace(files.get(edit.file) ?? '', edit.from, edit.to(version), edit.file),
      );
    }
  }
  files.set('.env', `SHOP_TAGLINE=tagline ${model.environment.tagline}\n`);
  renderHelpers(model, files);
  for (const [name, { version }] of Object.entries(model.data)) {
    files.set(dataFile(name), `{ "version": ${version} }\n`);
  }
  renderApi(model, files);
  renderWorkflows(model, files);
  renderSubscribers(model, files);
  renderModules(model, files);
  renderDataModels(model, files);
  compileScripts(files);
  applyNoise(model, files);
  applyBreakage(model, files);
  return files;
}

function renderHelpers(model: Model, files: Map<string, string>): void {
  const names = Object.keys(model.helpers).sort();
  for (const [barrel, exported] of [
    [BARREL_FILE, names],
    [PACKAGE_BARREL_FILE, names.filter((name) => isPackaged(model.helpers[name]))],
  ] as const) {
    files.set(
      barrel,
      exported
        .map((name) => {
          const specifier = specifierOf(barrel, helperFile(model, name));
          return model.barrel === 'star'
            ? `export * from '${specifier}';`
            : `export { ${name} } from '${specifier}';`;
        })
        .concat('export const barrel = true;\n')
        .join('\n'),
    );
  }
  for (const [name, helper] of Object.entries(model.helpers)) {
    const file = helperFile(model, name);
    const data = dataOf(model, name);
    const eager = isEager(model, name);
    const { imports, parts } = usage(model, name, helper, {
      file,
      seen: eager ? `['${name}']` : 'next',
    });
    const all = data ? [...parts, `\`${data.name}=\${data.version}\``] : parts;
    const source = [
      ...imports,
      data ? `import data from '${specifierOf(file, dataFile(data.name), '.json')}';` : '',
      eager ? `const eager = [${all.join(', ')}];` : '',
      `export function ${name}(seen: string[]): string {`,
      `  if (seen.length > 3 || seen.includes('${name}')) return '${name}~';`,
      `  const next = [...seen, '${name}'];`,
      eager
        ? `  return \`${name}.${helper.version}!(\${eager.join(' ')})\` + next.slice(0, 0).join();`
        : `  return \`${name}.${helper.version}(\${[${all.join(', ')}].join(' ')})\` + next.slice(0, 0).join();`,
      '}',
      '',
    ];
    files.set(file, join(source));
  }
}

function renderApi(model: Model, files: Map<string, string>): void {
  files.set(
    SCHEMA_FILE,
    `import { z } from 'zod';\nexport const OracleBody = z.object({ n: z.number().min(${model.schema.minimum}) });\n`,
  );
  for (const [name, route] of Object.entries(model.routes)) {
    const file = routeFile(model, name);
    const { imports, awaited, parts } = usage(model, name, route, {
      file,
      seen: '[]',
      isAsync: true,
    });
    const runs = runsOf(model, route);
    files.set(
      file,
      join([
        ...imports,
        runs ? `import { ${runs} } from '${specifierOf(file, workflowFile(model, runs))}';` : '',
        route.area === 'admin' && !route.isAuthenticated
          ? 'export const AUTHENTICATE = false;'
          : '',
        ...route.methods.flatMap((method) => [
          `export async function ${method}(req: any, res: any) {`,
          ...awaited,
          `  const text = \`${name}.${route.version} ${method}(\${[${parts.join(', ')}].join(' ')})\`;`,
          runs ? `  const direct = await ${runs}(req.scope).run({ input: {} });` : '',
          runs ? `  (globalThis as any).oracleLog = [];` : '',
          `  res.json({ text, id: req.params.id${runs ? ', direct: direct.result' : ''} });`,
          '}',
        ]),
        'export {};',
      ]),
    );
  }
  const entries: string[] = [];
  const head: string[] = [];
  for (const [name, entry] of Object.entries(model.middlewares)) {
    const { imports, parts } = usage(model, name, entry, { file: MIDDLEWARE_FILE, seen: '[]' });
    head.push(...imports);
    entries.push(
      `{ matcher: '${entry.matcher}',${entry.methods ? ` methods: ${JSON.stringify(entry.methods)} as any,` : ''} middlewares: [function ${name}(_req: any, res: any, next: any) {`,
      `  res.setHeader('x-oracle-${name}', \`${name}.${entry.version}(\${[${parts.join(', ')}].join(' ')})\`);`,
      '  next();',
      '}] },',
    );
  }
  head.push(`import { OracleBody } from './oracle-schema';`);
  entries.push(
    `{ matcher: '/oracle/*', methods: ['POST'], middlewares: [validateAndTransformBody(OracleBody)] },`,
  );
  const source = files.get(MIDDLEWARE_FILE) ?? '';
  files.set(
    MIDDLEWARE_FILE,
    `${head.join('\n')}\n${replace(source, 'routes: [', `routes: [\n${entries.join('\n')}`, MIDDLEWARE_FILE)}`,
  );
}

const LOG = '((globalThis as any).oracleLog ??= []).push';

function renderWorkflows(model: Model, files: Map<string, string>): void {
  const sdk = '@medusajs/framework/workflows-sdk';
  for (const [name, step] of Object.entries(model.steps)) {
    const file = stepFile(model, name);
    const { imports, awaited, parts } = usage(model, name, step, {
      file,
      seen: '[]',
      isAsync: true,
    });
    const all = step.callsService ? [...parts, `container.resolve('brand').oracle()`] : parts;
    files.set(
      file,
      join([
        ...imports,
        `import { createStep, StepResponse } from '${sdk}';`,
        `export const ${name} = createStep('oracle-${step.id}', async (_input: any, { container }: any) => {`,
        ...awaited,
        `  return new StepResponse(\`${name}.${step.version}(\${[${all.join(', ')}].join(' ')})\`);`,
        '});',
      ]),
    );
  }
  for (const [name, workflow] of Object.entries(model.workflows)) {
    files.set(workflowFile(model, name), renderWorkflow(model, name, workflow));
  }
  const active = activeHooks(model);
  for (const [name, hook] of Object.entries(model.hooks)) {
    const file = hookFile(model, name);
    const target = active.get(name);
    if (!target) {
      files.set(file, `export const ${name} = ${hook.version};\n`);
      continue;
    }
    const { imports, awaited, parts } = usage(model, name, hook, {
      file,
      seen: '[]',
      isAsync: true,
    });
    const [importTarget, attach] =
      target === 'core'
        ? [
            `import { createCustomersWorkflow } from '@medusajs/medusa/core-flows';`,
            'createCustomersWorkflow.hooks.customersCreated',
          ]
        : [
            `import { ${target} } from '${specifierOf(file, workflowFile(model, target))}';`,
            `(${target} as any).hooks.done`,
          ];
    files.set(
      file,
      join([
        ...imports,
        importTarget,
        `${attach}(async () => {`,
        ...awaited,
        `  ${LOG}(\`${name}.${hook.version}(\${[${parts.join(', ')}].join(' ')})\`);`,
        '});',
      ]),
    );
  }
}

function renderWorkflow(model: Model, name: string, workflow: Workflow): string {
  const file = workflowFile(model, name);
  const { imports, parts } = usage(model, name, workflow, { file, seen: '[]' });
  const steps = stepsOf(model, workflow);
  const nested = nestedOf(model, name);
  return join([
    ...imports,
    ...steps.map(
      (step) => `import { ${step} } from '${specifierOf(file, stepFile(model, step))}';`,
    ),
    nested ? `import { ${nested} } from '${specifierOf(file, workflowFile(model, nested))}';` : '',
    `import { createHook, createWorkflow, transform, WorkflowResponse } from '@medusajs/framework/workflows-sdk';`,
    `export const ${name} = createWorkflow('${workflowId(model, name)}', (input: any) => {`,
    ...steps.map((step) => `  const ${step}Result = ${step}(input);`),
    nested ? `  const nested = ${nested}.runAsStep({ input });` : '',
    `  const out = transform({ ${[...steps.map((step) => `${step}Result`), ...(nested ? ['nested'] : [])].join(', ')} }, (data: any) =>`,
    `    \`${name}.${workflow.version}(\${[...Object.values(data), ${parts.join(', ')}].join(' ')})\`);`,
    workflow.hasHook ? `  const done = createHook('done', { out });` : '',
    `  return new WorkflowResponse(out${workflow.hasHook ? ', { hooks: [done] }' : ''});`,
    '});',
  ]);
}

function renderSubscribers(model: Model, files: Map<string, string>): void {
  for (const [name, subscriber] of Object.entries(model.subscribers)) {
    const file = subscriberFile(model, name);
    const { imports, awaited, parts } = usage(model, name, subscriber, {
      file,
      seen: '[]',
      isAsync: true,
    });
    const event = subscriber.events.length === 1 ? subscriber.events[0] : subscriber.events;
    const context = subscriber.id === null ? '' : `, context: { subscriberId: '${subscriber.id}' }`;
    files.set(
      file,
      join([
        ...imports,
        `export default async function ${subscriber.handler}({ event }: any) {`,
        ...awaited,
        `  ${LOG}(\`${name}.${subscriber.version}(\${[${parts.join(', ')}].join(' ')}) \${event.name}\`);`,
        '}',
        `export const config = { event: ${JSON.stringify(event)}${context} };`,
      ]),
    );
  }
  for (const [name, job] of Object.entries(model.jobs)) {
    const file = jobFile(model, name);
    const { imports, awaited, parts } = usage(model, name, job, {
      file,
      seen: '[]',
      isAsync: true,
    });
    const executions = job.executions === null ? '' : `, numberOfExecutions: ${job.executions}`;
    files.set(
      file,
      join([
        ...imports,
        'export default async function run() {',
        ...awaited,
        `  ${LOG}(\`${name}.${job.version}(\${[${parts.join(', ')}].join(' ')})\`);`,
        '}',
        `export const config = { name: '${job.name}', schedule: ${job.schedule}${executions} };`,
      ]),
    );
  }
}

function renderModules(model: Model, files: Map<string, string>): void {
  const service = usage(model, 'service', model.service, { file: SERVICE_FILE, seen: '[]' });
  const methods = [
    `  oracle(): string { return \`service.${model.service.version}(\${[${service.parts.join(', ')}].join(' ')})\`; }`,
    ...model.service.methods.map(
      (method) => `  ${method}(): string { return '${method}.${model.service.version}'; }`,
    ),
  ];
  if (model.service.aliases.length > 0) {
    service.imports.push(`import { defineJoinerConfig } from '@medusajs/framework/utils';`);
    methods.push(
      `  __joinerConfig() { return defineJoinerConfig('brand', { models: [Brand], alias: [{ name: ${JSON.stringify(['brand', 'brands', ...model.service.aliases])}, entity: 'Brand' }] }); }`,
    );
  }
  files.set(
    SERVICE_FILE,
    `${join(service.imports)}${replace(
      files.get(SERVICE_FILE) ?? '',
      '  describe(name',
      `${methods.join('\n')}\n  describe(name`,
      SERVICE_FILE,
    )}`,
  );
  const provider = usage(model, 'provider', model.provider, { file: PROVIDER_FILE, seen: '[]' });
  files.set(
    PROVIDER_FILE,
    `${join(provider.imports)}${replace(
      files.get(PROVIDER_FILE) ?? '',
      "version: 'v1'",
      `version: \`provider.${model.provider.version}(\${[${provider.parts.join(', ')}].join(' ')})\``,
      PROVIDER_FILE,
    )}`,
  );
  if (model.link) {
    files.set(
      LINK_FILE,
      join([
        `import { defineLink } from '@medusajs/framework/utils';`,
        `import RegionModule from '@medusajs/medusa/region';`,
        `import BrandModule from '../modules/brand';`,
        `export default defineLink(`,
        `  { linkable: BrandModule.linkable.brand, field: 'country' },`,
        `  { linkable: { ...RegionModule.linkable.region, primaryKey: 'name' }, alias: 'oracle_${model.link.version}' },`,
        `  { readOnly: true },`,
        `);`,
      ]),
    );
  }
}

function renderDataModels({ dataModel }: Model, files: Map<string, string>): void {
  let source = files.get(DATA_MODEL_FILE) ?? '';
  if (!dataModel.isSearchable) {
    source = replace(source, '.searchable()', '', DATA_MODEL_FILE);
  }
  if (dataModel.hasColor) {
    const last = 'country: model.text().nullable(),';
    const color = 'color: model.text().nullable(),';
    source = replace(source, last, `${last}\n  ${color}`, DATA_MODEL_FILE);
  }
  files.set(DATA_MODEL_FILE, source);
  if (dataModel.other) {
    files.set(
      OTHER_DATA_MODEL_FILE,
      join([
        `import { model } from '@medusajs/framework/utils';`,
        `export const OracleThing = model.define('oracle_thing', {`,
        `  id: model.id().primaryKey(),`,
        `  note_${dataModel.other.version}: model.text(),`,
        `});`,
      ]),
    );
  }
}

const compiled = new Map<string, string>();

/** Compiles `.js` files, so that stock Medusa can load them as well. */
function compileScripts(files: Map<string, string>): void {
  for (const [file, source] of files) {
    if (!file.endsWith('.js')) {
      continue;
    }
    const known = compiled.get(source);
    const text =
      known ??
      ts.transpileModule(source, {
        compilerOptions: {
          module: ts.ModuleKind.CommonJS,
          target: ts.ScriptTarget.ES2022,
          esModuleInterop: true,
        },
      }).outputText;
    compiled.set(source, text);
    files.set(file, text);
  }
}

function applyNoise(model: Model, files: Map<string, string>): void {
  for (const [file, version] of Object.entries(model.noise)) {
    const source = files.get(file);
    if (source !== undefined && /\.[jt]s$/.test(file)) {
      files.set(file, `${source}${'\n'.repeat(version % 3)}// noise ${version}\n`);
    }
  }
}

function applyBreakage(model: Model, files: Map<string, string>): void {
  for (const [file, kind] of Object.entries(model.broken)) {
    const source = files.get(file);
    if (source === undefined) {
      continue;
    }
    if (kind === 'missing') {
      files.delete(file);
    } else if (file.endsWith('.json')) {
      files.set(file, source.slice(0, -4));
    } else if (kind === 'syntax') {
      files.set(file, `${source}\nexport const broken = ;\n`);
    } else if (kind === 'throw') {
      files.set(file, `${source}\nthrow new Error('broken by the oracle');\n`);
    } else {
      const name = './not-there-oracle';
      const line = file.endsWith('.js') ? `require('${name}');` : `import '${name}';`;
      files.set(file, `${line}\n${source}`);
    }
  }
}

interface Usage {
  imports: string[];
  /** Statements for the body of an async function. */
  awaited: string[];
  /** One expression for each helper. */
  parts: string[];
}

function usage(
  model: Model,
  owner: string,
  code: Code,
  { file, seen, isAsync = false }: { file: string; seen: string; isAsync?: boolean },
): Usage {
  const result: Usage = { imports: [], awaited: [], parts: [] };
  const [barrel] = barrelsOf(model, code);
  for (const helper of namesOf(model, code)) {
    const via = viaOf(model, code, { name: helper, isAsync });
    if (via !== 'glob' && !(helper in model.helpers)) {
      continue;
    }
    const path = helperFile(model, helper);
    const direct = specifierOf(file, path);
    const local = `${owner}_${helper}`;
    switch (via) {
      case 'direct':
        result.imports.push(`import { ${helper} as ${local} } from '${direct}';`);
        break;
      case 'alias':
        result.imports.push(`import { ${helper} as ${local} } from '${aliasOf(file, path)}';`);
        break;
      case 'barrel': {
        const specifier = barrel === BARREL_FILE ? '@lib/oracle/index' : packageBarrel(file);
        result.imports.push(`import { ${helper} as ${local} } from '${specifier}';`);
        break;
      }
      case 'star':
        result.imports.push(`import * as ${local}_all from '${direct}';`);
        break;
      case 'require':
        result.imports.push(`const ${local}_all = require('${direct}') as any;`);
        break;
      case 'dynamic':
        result.awaited.push(`  const { ${helper}: ${local} } = await import('${direct}');`);
        break;
      case 'glob': {
        const folder = posix.relative(posix.dirname(file), posix.dirname(BARREL_FILE)) || '.';
        const start = folder.startsWith('.') ? folder : `./${folder}`;
        const patterns = ['.ts', '.js', '/index.ts', '/index.js']
          .map((ending) => `'${start}/**/${helper}${ending}'`)
          .join(', ');
        result.imports.push(
          `const ${local}_all = import.meta.glob([${patterns}], { eager: true }) as Record<string, any>;`,
        );
        break;
      }
      default:
        via satisfies never;
    }
    const target = via === 'star' || via === 'require' ? `${local}_all.${helper}` : local;
    result.parts.push(
      via === 'glob'
        ? `...Object.values(${local}_all).map((found) => found.${helper}(${seen}))`
        : `${target}(${seen})`,
    );
  }
  return result;
}

/** An alias by `paths` of the tsconfig; for the package, its main file. */
function aliasOf(from: string, to: string): string {
  if (to.startsWith(PACKAGE_FOLDER)) {
    return from.startsWith(PACKAGE_FOLDER) ? packageBarrel(from) : PACKAGE_NAME;
  }
  return `@lib/${to.slice('src/lib/'.length).replace(STEM_ENDING, '')}`;
}

function packageBarrel(from: string): string {
  const folder = posix.relative(posix.dirname(from), posix.dirname(PACKAGE_BARREL_FILE));
  return `${folder || '.'}/index`;
}

const STEM_ENDING = /(?:\/index)?\.(?:[jt]s|json)$/;

function specifierOf(from: string, to: string, ending = ''): string {
  const stem = to.replace(STEM_ENDING, '');
  if (to.startsWith(PACKAGE_FOLDER) && !from.startsWith(PACKAGE_FOLDER)) {
    return `${PACKAGE_NAME}/${stem.slice(PACKAGE_FOLDER.length)}`;
  }
  const relative = posix.relative(posix.dirname(from), stem);
  return `${relative.startsWith('.') ? relative : `./${relative}`}${ending}`;
}

function replace(source: string, from: string, to: string, file: string): string {
  if (!source.includes(from)) {
    throw new Error(`\`${file}\` does not contain \`${from}\` any more: adapt test/oracle.`);
  }
  return source.replace(from, () => to);
}

function join(lines: string[]): string {
  const kept = lines.filter((line) => line !== '');
  return kept.length === 0 ? '' : `${kept.join('\n')}\n`;
}
