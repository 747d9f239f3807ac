import type { Code, Model } from './model.ts';

/** The files of the model's parts; relative to the project. */
export function helperFile(model: Model, name: string): string {
  const helper = model.helpers[name];
  const stem = `${name}${helper?.form === 'index' ? '/index' : ''}${endingOf(helper)}`;
  return helper?.folder === '@'
    ? `${PACKAGE_FOLDER}src/${stem}`
    : `src/lib/oracle/${helper?.folder ?? ''}${stem}`;
}

/** The package lies beside the project, and is linked into its `node_modules` under this name. */
export const PACKAGE_NAME = '@oracle/words';
export const PACKAGE_FOLDER = '../packages/oracle/';
export const PACKAGE_BARREL_FILE: string = `${PACKAGE_FOLDER}src/index.ts`;

export const BARREL_FILE = 'src/lib/oracle/index.ts';
export const MIDDLEWARE_FILE = 'src/api/middlewares.ts';
export const SERVICE_FILE = 'src/modules/brand/service.ts';
export const PROVIDER_FILE = 'src/modules/journal-provider/service.ts';
export const SCHEMA_FILE = 'src/api/oracle-schema.ts';
export const LINK_FILE = 'src/links/oracle-link.ts';
export const DATA_MODEL_FILE = 'src/modules/brand/models/brand.ts';
export const OTHER_DATA_MODEL_FILE = 'src/modules/brand/models/oracle-thing.ts';

export function dataFile(name: string): string {
  return `src/data/oracle/${name}.json`;
}

export function routeFile(model: Model, name: string): string {
  const route = model.routes[name];
  const area = route?.area === 'admin' ? 'admin/' : '';
  const folder = `src/api/${area}oracle/${name}/${route?.hasParameter ? '[id]/' : ''}`;
  return `${folder}route${endingOf(route)}`;
}

export function stepFile(model: Model, name: string): string {
  return `src/workflows/oracle/steps/${name}${endingOf(model.steps[name])}`;
}

export function workflowFile(model: Model, name: string): string {
  return `src/workflows/oracle/${name}${endingOf(model.workflows[name])}`;
}

export function hookFile(model: Model, name: string): string {
  return `src/workflows/oracle-hooks/${name}${endingOf(model.hooks[name])}`;
}

export function subscriberFile(model: Model, name: string): string {
  return `src/subscribers/oracle/${name}${endingOf(model.subscribers[name])}`;
}

export function jobFile(model: Model, name: string): string {
  return `src/jobs/oracle/${name}${endingOf(model.jobs[name])}`;
}

function endingOf(code: Code | undefined): string {
  return code?.isScript ? '.js' : '.ts';
}
