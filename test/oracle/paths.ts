import type { Model } from './model.ts';

/** Where each thing of the model lives; relative to the project. */
export function helperFile(model: Model, name: string): string {
  const helper = model.helpers[name];
  return `src/lib/oracle/${helper?.folder ?? ''}${name}${helper?.form === 'index' ? '/index' : ''}.ts`;
}

export const BARREL_FILE = 'src/lib/oracle/index.ts';
export const MIDDLEWARE_FILE = 'src/api/middlewares.ts';
export const SERVICE_FILE = 'src/modules/brand/service.ts';
export const PROVIDER_FILE = 'src/modules/journal-provider/service.ts';
export const SCHEMA_FILE = 'src/api/oracle-schema.ts';
export const LINK_FILE = 'src/links/oracle-link.ts';

export function dataFile(name: string): string {
  return `src/data/oracle/${name}.json`;
}

export function routeFile(model: Model, name: string): string {
  const route = model.routes[name];
  const area = route?.area === 'admin' ? 'admin/' : '';
  return `src/api/${area}oracle/${name}/${route?.hasParameter ? '[id]/' : ''}route.ts`;
}

export const stepFile = (name: string): string => `src/workflows/oracle/steps/${name}.ts`;
export const workflowFile = (name: string): string => `src/workflows/oracle/${name}.ts`;
export const hookFile = (name: string): string => `src/workflows/oracle-hooks/${name}.ts`;
export const subscriberFile = (name: string): string => `src/subscribers/oracle/${name}.ts`;
export const jobFile = (name: string): string => `src/jobs/oracle/${name}.ts`;
