import type { MedusaContainer } from '../boot/loaded-app.ts';
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

/** A service as `query` and the links see it. */
interface Service {
  __definition: { key: string; isQueryable: boolean };
  __joinerConfig: JoinerConfig;
}

interface MedusaModuleClass {
  getLoadedModules(): Record<string, Service>[];
  getModuleInstance(key: string): Record<string, Service> | undefined;
  getAllJoinerConfigs(): JoinerConfig[];
  getJoinerConfig(key: string): JoinerConfig | undefined;
  setJoinerConfig(key: string, config: JoinerConfig): JoinerConfig;
  getCustomLinks(): unknown[];
}

interface GraphQL {
  cleanGraphQLSchema(schema: string): { schema: string };
  mergeTypeDefs(schema: string): unknown;
  makeExecutableSchema(options: { typeDefs: unknown }): { getTypeMap(): unknown };
  extractRelationsFromGQL(typeMap: unknown): unknown;
}

type Query = ((...args: unknown[]) => unknown) &
  Record<string, ((...args: unknown[]) => unknown) | undefined>;
type QueryOptions = Record<string, unknown>;
type CreateQuery = (options: QueryOptions) => Query;
/** Before there was the package `@medusajs/query`. */
interface RemoteQuery {
  constructor: new (options: Record<string, unknown>) => RemoteQuery;
  customRemoteFetchData: unknown;
  entitiesMap: unknown;
}

interface Link {
  modulesMap: Map<string, unknown>;
  relationsPairs: Map<string, unknown>;
  relations: Map<string, unknown>;
}

type LinkClass = new (services: Service[]) => Link;

/** What Medusa has made of the joiner configs when it started, and is made of the changed ones. */
interface QueryState {
  query: Query;
  options: QueryOptions;
}

/**
 * What is built on the joiner configs of all modules: Medusa's own list of them, `query`, and `link`. They are
 * built again beside those that serve, and put behind them in one step.
 * (`modules-sdk/dist/medusa-app.js`, `medusa-module.js` and `link.js`, 2.12.1 to 2.21.2)
 */
export class JoinerConfigs {
  readonly #modules: MedusaModuleClass;
  readonly #graphql: GraphQL;
  readonly #link: LinkClass;
  readonly #isFlagOn: (flag: string) => boolean;
  readonly #container: () => MedusaContainer;
  readonly #createQuery: CreateQuery;
  /** Undefined until the modules are loaded. */
  #state: QueryState | undefined;

  /** @param container Medusa's own, once the app is loaded. */
  constructor(packages: MedusaPackages, container: () => MedusaContainer) {
    this.#container = container;
    const { MedusaModule } = packages.require('@medusajs/modules-sdk', 'dist/medusa-module.js');
    this.#modules = MedusaModule as MedusaModuleClass;
    assertMethods(
      packages,
      '@medusajs/modules-sdk/dist/medusa-module.js#MedusaModule',
      this.#modules,
      [
        'getLoadedModules',
        'getModuleInstance',
        'getAllJoinerConfigs',
        'getJoinerConfig',
        'setJoinerConfig',
        'getCustomLinks',
      ],
    );
    const graphql = packages.require('@medusajs/utils', 'dist/graphql/index.js');
    this.#graphql = graphql as unknown as GraphQL;
    assertMethods(packages, '@medusajs/utils/dist/graphql', graphql, [
      'cleanGraphQLSchema',
      'mergeTypeDefs',
      'makeExecutableSchema',
      'extractRelationsFromGQL',
    ]);
    const linkPath = 'dist/link.js';
    const { Link } = packages.require('@medusajs/modules-sdk', linkPath);
    if (typeof Link !== 'function') {
      throw packages.unexpected(`@medusajs/modules-sdk/${linkPath}#Link`);
    }
    this.#link = Link as LinkClass;
    const { FeatureFlag } = packages.require(
      '@medusajs/utils',
      'dist/feature-flags/flag-router.js',
    ) as {
      FeatureFlag?: { isFeatureEnabled(flag: string): boolean };
    };
    this.#isFlagOn = (flag) => FeatureFlag?.isFeatureEnabled(flag) ?? false;

    const [name, path] = packages.has('@medusajs/query')
      ? (['@medusajs/query', 'dist/query/query.js'] as const)
      : (['@medusajs/modules-sdk', 'dist/remote-query/query.js'] as const);
    const exports = packages.require(name, path);
    packages.assertReplaceable(exports, 'createQuery', `${name}/${path}`);
    this.#createQuery = exports.createQuery as CreateQuery;
    exports.createQuery = (options: QueryOptions) => {
      const state: QueryState = { query: this.#createQuery(options), options };
      this.#state = state;
      return createStableQuery(() => state.query, Object.keys(state.query));
    };
  }

  /**
   * What else Medusa has made of the joiner configs, and cannot make again in a running app.
   * @param next Changed joiner configs, by the key of their module.
   * @returns words for it, or undefined if there is nothing
   * @throws what Medusa says of a link to something that is no longer there
   */
  dependent(next: ReadonlyMap<string, JoinerConfig>): string | undefined {
    for (const key of ['index', 'caching']) {
      if (this.#modules.getModuleInstance(key)) {
        return `the ${key} module`;
      }
    }
    if (this.#isFlagOn('rbac_filter_fields')) {
      return 'the feature `rbac_filter_fields`';
    }
    for (const [key, config] of next) {
      const previous = this.#modules.getJoinerConfig(key);
      if (previous?.serviceName !== config.serviceName) {
        return 'the config';
      }
      const isSeenByLinks =
        JSON.stringify(previous?.linkableKeys) !== JSON.stringify(config.linkableKeys) ||
        !previous?.schema !== !config.schema;
      if (isSeenByLinks && this.#isLinked(config.serviceName)) {
        return 'its links';
      }
    }
    return this.#changesLinks(next) ? 'its links' : undefined;
  }

  /**
   * @param next Changed joiner configs, by the key of their module.
   * @returns how to put them in place.
   * @throws what would keep Medusa from starting with them, such as an alias that is taken
   */
  prepare(next: ReadonlyMap<string, JoinerConfig>): () => void {
    const state = this.#state;
    if (!state) {
      throw new Error('Expected the modules to be loaded before one is reloaded; this is our bug.');
    }
    const services = this.#modules
      .getLoadedModules()
      .flatMap((loaded) => Object.values(loaded).slice(0, 1))
      .map((service) => withJoinerConfig(service, next.get(service.__definition.key)));
    const options = this.#queryOptions(state.options, services, next);
    const query = this.#createQuery(options);
    const nextLink = new this.#link(services);
    return () => {
      for (const [key, config] of next) {
        this.#modules.setJoinerConfig(key, config);
      }
      state.query = query;
      state.options = options;
      const { modulesMap, relationsPairs, relations } = nextLink;
      const link = this.#container().resolve<Link>('link');
      Object.assign(link, { modulesMap, relationsPairs, relations });
      this.#tellSettings();
    };
  }

  #queryOptions(
    options: QueryOptions,
    services: Service[],
    next: ReadonlyMap<string, JoinerConfig>,
  ): QueryOptions {
    const typeMap = this.#typeMapOf(next);
    if (!('remoteQuery' in options)) {
      const relationMap = typeMap && this.#graphql.extractRelationsFromGQL(typeMap);
      return { ...options, modulesLoaded: services, ...(relationMap ? { relationMap } : {}) };
    }
    const previous = options.remoteQuery as RemoteQuery;
    const remoteQuery = new previous.constructor({
      modulesLoaded: services,
      customRemoteFetchData: previous.customRemoteFetchData,
      entitiesMap: typeMap ?? previous.entitiesMap,
    });
    return { ...options, remoteQuery };
  }

  /** As Medusa makes it of all schemas; undefined if it is the one that is there. */
  #typeMapOf(next: ReadonlyMap<string, JoinerConfig>): unknown {
    const isSame = [...next].every(
      ([key, { schema }]) => schema === this.#modules.getJoinerConfig(key)?.schema,
    );
    if (isSame) {
      return undefined;
    }
    const { cleanGraphQLSchema, mergeTypeDefs, makeExecutableSchema } = this.#graphql;
    const schemas = this.#allConfigs(next).map((config) => config?.schema ?? '');
    const { schema } = cleanGraphQLSchema(DEFAULT_SCHEMA + schemas.join('\n'));
    return makeExecutableSchema({ typeDefs: mergeTypeDefs(schema) }).getTypeMap();
  }

  #allConfigs(next: ReadonlyMap<string, JoinerConfig>): JoinerConfig[] {
    const replaced = new Map(
      [...next].map(([key, config]) => [this.#modules.getJoinerConfig(key), config]),
    );
    return this.#modules.getAllJoinerConfigs().map((config) => replaced.get(config) ?? config);
  }

  /** Whether a link, of the project or of Medusa, has the module at one of its ends. */
  #isLinked(serviceName: string | undefined): boolean {
    return this.#modules
      .getAllJoinerConfigs()
      .filter(({ isLink, extends: extended }) => isLink || extended?.length)
      .some(({ relationships = [], extends: extended = [] }) =>
        [...relationships, ...extended, ...extended.flatMap((end) => end.relationship ?? [])].some(
          (end) => end.serviceName === serviceName,
        ),
      );
  }

  /** Links of the project compute their definition from the joiner configs of both ends. */
  #changesLinks(next: ReadonlyMap<string, JoinerConfig>): boolean {
    const links = this.#modules.getCustomLinks().filter((link) => typeof link === 'function') as ((
      configs: JoinerConfig[],
    ) => unknown)[];
    const before = this.#modules.getAllJoinerConfigs();
    const after = this.#allConfigs(next);
    const define = (configs: JoinerConfig[]) => links.map((link) => JSON.stringify(link(configs)));
    const defined = define(before);
    try {
      return define(after).some((definition, index) => definition !== defined[index]);
    } finally {
      // They also write on what their files export.
      define(before);
    }
  }

  /** The settings module keeps what it has read of them. (`settings-module-service.js`, as of 2.21) */
  #tellSettings(): void {
    const { entityDiscoveryService_: entities } = Object(
      this.#modules.getModuleInstance('settings')?.settings,
    ) as { entityDiscoveryService_?: { initialize?(configs: JoinerConfig[]): void } };
    entities?.initialize?.(this.#modules.getAllJoinerConfigs());
  }
}

/** What Medusa puts before the schemas of the modules. */
const DEFAULT_SCHEMA = `
    scalar DateTime
    scalar JSON
    directive @enumValue(value: String) on ENUM_VALUE
  `;

/** Everybody holds on to `query`, and `graph` and the like are taken off it. */
function createStableQuery(current: () => Query, methods: string[]): Query {
  const query = ((...args) => current()(...args)) as Query;
  for (const method of methods) {
    query[method] = (...args) => current()[method]?.(...args);
  }
  return query;
}

/** The service as it will be, for whoever reads its joiner config while it is built. */
function withJoinerConfig(service: Service, config: JoinerConfig | undefined): Service {
  if (!config) {
    return service;
  }
  return new Proxy(service, {
    get: (target, key) => (key === '__joinerConfig' ? config : Reflect.get(target, key)),
  });
}

function assertMethods(
  packages: MedusaPackages,
  where: string,
  value: unknown,
  methods: string[],
): void {
  for (const method of methods) {
    if (typeof Reflect.get(Object(value) as object, method) !== 'function') {
      throw packages.unexpected(`${where}.${method}`);
    }
  }
}
