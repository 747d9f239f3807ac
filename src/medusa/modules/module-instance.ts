import type { JoinerConfig } from './module-list.ts';

/**
 * What Medusa writes on a service when it has loaded its module.
 * (`modules-sdk/dist/medusa-module.js`, the same in 2.12.1 and 2.21.2)
 */
export interface ModuleInstance {
  __definition?: { key: string; isQueryable: boolean };
  __joinerConfig?: JoinerConfig;
}

export const WRITTEN_BY_MEDUSA: readonly (keyof ModuleInstance)[] = [
  '__definition',
  '__joinerConfig',
];

/** What Medusa would write on these instances for a joiner config as the service gives it, by the key of the module. */
export function completeJoinerConfig(
  instances: readonly ModuleInstance[],
  joinerConfig: unknown,
): Map<string, JoinerConfig> {
  const completed = new Map<string, JoinerConfig>();
  for (const { __definition: definition, __joinerConfig: previous } of instances) {
    if (definition?.isQueryable) {
      completed.set(definition.key, {
        serviceName: definition.key,
        primaryKeys: ['id'],
        ...(joinerConfig as JoinerConfig),
        databaseClientUrl: previous?.databaseClientUrl,
      });
    }
  }
  return completed;
}

/** What Medusa would write on the successor of an instance and has not written on that. */
export function writtenAnew(
  { __definition: definition }: ModuleInstance,
  joinerConfigs: ReadonlyMap<string, JoinerConfig>,
): ModuleInstance {
  const config = joinerConfigs.get(definition?.key ?? '');
  return config ? { __joinerConfig: config } : {};
}
