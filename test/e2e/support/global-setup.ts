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

/** The versions of Medusa and Vite that a test project needs; undefined for the installed one. */
interface Needs {
  medusa: string | undefined;
  vite: string | undefined;
}

interface Prepared {
  /** By the version of Medusa. */
  databases: Map<string | undefined, Promise<TemplateDatabase>>;
  /** By the version of Vite. */
  vites: Map<string | undefined, Promise<void>>;
}

/** Shared by the test projects of a run: each one evaluates this module for itself. */
const run = globalThis as { prepared?: Prepared };

/** Builds the CLI, and for each Medusa of a run starts one PostgreSQL with a database that tests copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  run.prepared ??= prepareFor(project.vitest.projects.map(needsOf));
  const { databases, vites } = run.prepared;
  const { medusa, vite } = needsOf(project);
  await vites.get(vite);
  const database = await databases.get(medusa);
  project.provide('templateDatabaseUrl', database?.url ?? '');
  project.provide('publishableKey', database?.publishableKey ?? '');
  return async () => {
    // Includes the databases of test projects without a file in this run.
    await Promise.allSettled([...databases.values()].map(async (each) => (await each).stop()));
  };
}

function needsOf({ config }: TestProject): Needs {
  // Whatever the type says, `env` is missing in a project that sets no variable.
  const env: Partial<typeof config.env> = { ...config.env };
  return {
    medusa: env.MEDUSA_VERSION ?? MEDUSA_VERSION,
    vite: env.VITE_VERSION ?? VITE_VERSION,
  };
}

/** Prepares everything at once, since much of it waits for the network or the disk. */
function prepareFor(needs: Needs[]): Prepared {
  buildProduct();
  const prepared: Prepared = { databases: new Map(), vites: new Map() };
  for (const { medusa, vite } of needs) {
    if (!prepared.databases.has(medusa)) {
      prepared.databases.set(medusa, makeTemplateDatabase(medusa));
    }
    if (vite && !prepared.vites.has(vite)) {
      prepared.vites.set(vite, installOtherVite(vite));
    }
  }
  for (const work of [...prepared.databases.values(), ...prepared.vites.values()]) {
    // The project that waits for the work reports the error; another project may come first.
    work.catch(() => {});
  }
  return prepared;
}

async function makeTemplateDatabase(medusa: string | undefined): Promise<TemplateDatabase> {
  const startedAt = performance.now();
  if (medusa) {
    await installOtherMedusa(medusa);
  }
  const template = await startTemplateDatabase(medusa);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`A database for Medusa ${medusa ?? 'as installed'}: made in ${seconds} s`);
  return template;
}
