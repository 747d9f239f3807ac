import type { TestProject } from 'vitest/node';
import { buildProduct } from './built-product.ts';
import { installOtherMedusa, MEDUSA_VERSION } from './other-medusa.ts';
import { installOtherVite, VITE_VERSION } from './other-vite.ts';
import { startTemplateDatabase, type TemplateDatabase } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Migrated and seeded; only ever copied, since a template must have no connections. */
    templateDatabaseUrl: string;
    publishableKey: string;
  }
}

/** What the projects of a run share; each evaluates this module for itself. */
const run = globalThis as {
  hasBuiltProduct?: boolean;
  /** By the version of Medusa. */
  templateDatabases?: Map<string, Promise<TemplateDatabase>>;
};

/** Builds the CLI, and makes one PostgreSQL for each Medusa of a run with a database that tests copy. */
export default async function setup({
  provide,
  config,
}: TestProject): Promise<() => Promise<void>> {
  const medusa = config.env.MEDUSA_VERSION ?? MEDUSA_VERSION;
  const vite = config.env.VITE_VERSION ?? VITE_VERSION;
  if (!run.hasBuiltProduct) {
    buildProduct();
    run.hasBuiltProduct = true;
  }
  if (vite) {
    installOtherVite(vite);
  }
  run.templateDatabases ??= new Map();
  const template = run.templateDatabases.get(medusa ?? '') ?? makeTemplateDatabase(medusa);
  run.templateDatabases.set(medusa ?? '', template);
  const { url, publishableKey, stop } = await template;
  provide('templateDatabaseUrl', url);
  provide('publishableKey', publishableKey);
  return stop;
}

async function makeTemplateDatabase(medusa: string | undefined): Promise<TemplateDatabase> {
  const startedAt = performance.now();
  if (medusa) {
    installOtherMedusa(medusa);
  }
  const template = await startTemplateDatabase(medusa);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`A database for Medusa ${medusa ?? 'as installed'}: made in ${seconds} s`);
  return template;
}
