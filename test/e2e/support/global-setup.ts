import type { TestProject } from 'vitest/node';
import { buildProduct } from './built-product.ts';
import { installOtherMedusa, MEDUSA_VERSION } from './other-medusa.ts';
import { installOtherVite, VITE_VERSION } from './other-vite.ts';
import { startTemplateDatabase } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Migrated and seeded; only ever copied, since a template must have no connections. */
    templateDatabaseUrl: string;
    publishableKey: string;
  }
}

/** Builds the CLI, and makes one PostgreSQL for the whole run with a database that tests copy. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  buildProduct();
  if (MEDUSA_VERSION) {
    installOtherMedusa(MEDUSA_VERSION);
  }
  if (VITE_VERSION) {
    installOtherVite(VITE_VERSION);
  }
  const { url, publishableKey, stop } = await startTemplateDatabase();
  provide('templateDatabaseUrl', url);
  provide('publishableKey', publishableKey);
  return stop;
}
