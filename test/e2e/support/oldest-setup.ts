import type { TestProject } from 'vitest/node';

/** The project `oldest` of vite.config.ts: the same tests on the oldest Medusa that is supported. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  Object.assign(process.env, project.config.env);
  // Read when it is imported, so only now.
  const { default: setUp } = await import('./global-setup.ts');
  return setUp(project);
}
