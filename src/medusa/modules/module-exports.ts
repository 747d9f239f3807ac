import type { Exports } from '../../shared/exports.ts';

type ServiceClass = new (...args: unknown[]) => object;
type Loader = (...args: unknown[]) => unknown;

/** What a module or a module provider gives to Medusa, taken apart. */
export interface ModuleExports {
  kind: 'module' | 'provider';
  services: ServiceClass[];
  loaders: Loader[];
  /** Undefined for a provider. */
  joinerConfig: unknown;
  replace(services: ServiceClass[], loaders: Loader[]): Exports;
}

/** @returns undefined if the file exports neither */
export function readModuleExports(exports: Exports): ModuleExports | undefined {
  return readModule(exports) ?? readProvider(exports);
}

/**
 * The result of `Module(name, { service, loaders })`.
 * (`utils/dist/modules-sdk/module.js`, 2.12.1 to 2.21.2)
 */
function readModule(exports: Exports): ModuleExports | undefined {
  const module = asRecord(exports.default);
  if (typeof module?.service !== 'function') {
    return undefined;
  }
  const service = module.service as ServiceClass;
  const loaders = asFunctions(module.loaders);
  return {
    kind: 'module',
    services: [service],
    loaders,
    joinerConfig: readJoinerConfig(service),
    replace: ([replacement], stable) => ({
      ...exports,
      default: { ...module, service: replacement, ...(module.loaders ? { loaders: stable } : {}) },
    }),
  };
}

/**
 * The result of `ModuleProvider(key, { services, loaders })`.
 * (`utils/dist/modules-sdk/module-provider.js`, 2.12.1 to 2.21.2)
 */
function readProvider(exports: Exports): ModuleExports | undefined {
  const provider = asRecord(exports.default);
  if (!Array.isArray(provider?.services)) {
    return undefined;
  }
  const services = asFunctions(provider.services) as unknown as ServiceClass[];
  const loaders = asFunctions(provider.loaders);
  return {
    kind: 'provider',
    services,
    loaders,
    joinerConfig: undefined,
    replace: (replacements, stable) => ({
      ...exports,
      default: {
        ...provider,
        services: replacements,
        ...(provider.loaders ? { loaders: stable } : {}),
      },
    }),
  };
}

/**
 * What Medusa has read of a provider's class once, for its registrations and its rows in the database.
 * (`modules-sdk/dist/loaders/utils/load-internal.js`, and the modules' own `loaders/providers.js`, 2.12.1 to
 * 2.21.2)
 */
export function providerIdentity(service: object | undefined): string {
  const { identifier, LIFE_TIME, name, validateOptions } = Object(service) as Exports;
  // Vite numbers the imports of a file as they come.
  const source = String(validateOptions).replace(/__vite_ssr_import_\d+__/g, '');
  return [identifier, LIFE_TIME, name, source].map(String).join();
}

/** What others may rely on when they import a module for its name or for its links. */
export function moduleInterface(value: unknown): unknown {
  const module = asRecord(value);
  if (typeof module?.service !== 'function' || !('linkable' in module)) {
    return undefined;
  }
  const joinerConfig = asRecord(readJoinerConfig(module.service as ServiceClass));
  return { linkable: module.linkable, serviceName: joinerConfig?.serviceName };
}

function readJoinerConfig(service: ServiceClass): unknown {
  const config = asRecord(service.prototype)?.__joinerConfig;
  return typeof config === 'function' ? (config as () => unknown).call(service.prototype) : config;
}

function asRecord(value: unknown): Exports | undefined {
  return value instanceof Object ? (value as Exports) : undefined;
}

function asFunctions(value: unknown): Loader[] {
  return Array.isArray(value)
    ? value.filter((item): item is Loader => typeof item === 'function')
    : [];
}
