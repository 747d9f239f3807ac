import type { MedusaPackages } from '../packages.ts';

/** The part of a module's joiner config that is used here. */
export interface JoinerConfig {
  serviceName?: string;
  isLink?: boolean;
  schema?: string;
  primaryKeys?: string[];
  linkableKeys?: Record<string, string>;
  relationships?: { serviceName: string }[];
  extends?: { serviceName: string; relationship?: { serviceName?: string } }[];
  databaseClientUrl?: unknown;
}

/** The service of a loaded module, as `query` and the links see it. */
export interface LoadedService {
  __definition: { key: string; isQueryable: boolean };
  __joinerConfig: JoinerConfig;
}

/** A link of the project computes its definition from the joiner configs of both ends. */
export type CustomLink = (configs: JoinerConfig[]) => unknown;

interface MedusaModuleClass {
  getLoadedModules(): Record<string, LoadedService>[];
  getModuleInstance(key: string): Record<string, LoadedService> | undefined;
  getAllJoinerConfigs(): JoinerConfig[];
  getJoinerConfig(key: string): JoinerConfig | undefined;
  setJoinerConfig(key: string, config: JoinerConfig): JoinerConfig;
  getCustomLinks(): unknown[];
}

/**
 * Medusa's own list of the modules that it has loaded, with their joiner configs.
 * (`modules-sdk/dist/medusa-module.js`, 2.12.1 to 2.21.2)
 */
export class ModuleList {
  readonly #modules: MedusaModuleClass;

  constructor(packages: MedusaPackages) {
    const path = 'dist/medusa-module.js';
    const { MedusaModule } = packages.require('@medusajs/modules-sdk', path);
    packages.assertMethods(MedusaModule, `@medusajs/modules-sdk/${path}#MedusaModule`, [
      'getLoadedModules',
      'getModuleInstance',
      'getAllJoinerConfigs',
      'getJoinerConfig',
      'setJoinerConfig',
      'getCustomLinks',
    ]);
    this.#modules = MedusaModule as MedusaModuleClass;
  }

  /** One for each module, links among them. */
  get services(): LoadedService[] {
    return this.#modules.getLoadedModules().flatMap((loaded) => Object.values(loaded).slice(0, 1));
  }

  get joinerConfigs(): JoinerConfig[] {
    return this.#modules.getAllJoinerConfigs();
  }

  get customLinks(): CustomLink[] {
    return this.#modules
      .getCustomLinks()
      .filter((link): link is CustomLink => typeof link === 'function');
  }

  has(key: string): boolean {
    return this.#modules.getModuleInstance(key) !== undefined;
  }

  serviceOf(key: string): LoadedService | undefined {
    return this.#modules.getModuleInstance(key)?.[key];
  }

  joinerConfigOf(key: string): JoinerConfig | undefined {
    return this.#modules.getJoinerConfig(key);
  }

  /** All joiner configs as they will be with these changed ones, by the key of their module. */
  joinerConfigsWith(changed: ReadonlyMap<string, JoinerConfig>): JoinerConfig[] {
    const replaced = new Map(
      [...changed].map(([key, config]) => [this.joinerConfigOf(key), config]),
    );
    return this.joinerConfigs.map((config) => replaced.get(config) ?? config);
  }

  setJoinerConfig(key: string, config: JoinerConfig): void {
    this.#modules.setJoinerConfig(key, config);
  }
}
