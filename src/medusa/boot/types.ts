import { join } from 'node:path';
import type { MedusaPackages } from '../packages.ts';
import type { LoadedApp } from './loaded-app.ts';

type Generate = (...args: unknown[]) => Promise<unknown>;

/**
 * Writes `.medusa/types` as stock `start --types` does, once the app serves.
 * (`medusa/dist/commands/start.js`, 2.12.1 to 2.21.2)
 */
export async function generateTypes(
  packages: MedusaPackages,
  root: string,
  app: LoadedApp,
): Promise<void> {
  const utils = packages.require('@medusajs/framework', 'dist/utils/index.js');
  const { MedusaModule } = packages.require(
    '@medusajs/framework',
    'dist/modules-sdk/index.js',
  ) as unknown as { MedusaModule: { getAllJoinerConfigs(): unknown[] } };
  const outputDir = join(root, '.medusa/types');
  const jobs: Promise<unknown>[] = [
    call(utils, 'generateContainerTypes', app.modules, {
      outputDir,
      interfaceName: 'ModuleImplementations',
    }),
  ];
  if (app.gqlSchema) {
    jobs.push(
      call(utils, 'gqlSchemaToTypes', {
        outputDir,
        filename: 'query-entry-points',
        interfaceName: 'RemoteQueryEntryPoints',
        schema: app.gqlSchema,
        joinerConfigs: MedusaModule.getAllJoinerConfigs(),
      }),
    );
  }
  // Newer than 2.12.1; each is absent there.
  const flags = utils.FeatureFlag as
    | Partial<{ isFeatureEnabled(flag: string): boolean }>
    | undefined;
  if (typeof utils.generatePolicyTypes === 'function' && flags?.isFeatureEnabled?.('rbac')) {
    jobs.push(call(utils, 'generatePolicyTypes', { outputDir }));
  }
  if (typeof utils.generateAugmentationRefs === 'function') {
    const config = app.container.resolve('configModule');
    const plugins = await call(utils, 'getResolvedPlugins', root, config, true);
    jobs.push(
      call(utils, 'generateAugmentationRefs', { directory: root, plugins, modules: app.modules }),
    );
  }
  await Promise.all(jobs);
}

async function call(
  utils: Record<string, unknown>,
  name: string,
  ...args: unknown[]
): Promise<unknown> {
  return (utils[name] as Generate)(...args);
}
