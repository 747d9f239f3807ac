import type { MedusaPackages } from '../packages.ts';
import type { JoinedSchema } from './joined-schema.ts';
import type { LoadedService } from './module-list.ts';

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

/** What Medusa has made when it started, and is made of the changed joiner configs. */
interface QueryState {
  query: Query;
  options: QueryOptions;
}

/**
 * `query`, which everybody holds on to, with `graph` and the like taken off it: here it can be made again behind
 * those who hold it. (`createQuery` of `query/dist/query/query.js` in 2.21.2, of
 * `modules-sdk/dist/remote-query/query.js` in 2.12.1)
 */
export class StableQuery {
  readonly #create: CreateQuery;
  readonly #schema: JoinedSchema;
  /** Undefined until the modules are loaded. */
  #state: QueryState | undefined;

  constructor(packages: MedusaPackages, schema: JoinedSchema) {
    this.#schema = schema;
    const [name, path] = packages.has('@medusajs/query')
      ? (['@medusajs/query', 'dist/query/query.js'] as const)
      : (['@medusajs/modules-sdk', 'dist/remote-query/query.js'] as const);
    const exports = packages.require(name, path);
    packages.assertReplaceable(exports, 'createQuery', `${name}/${path}`);
    this.#create = exports.createQuery as CreateQuery;
    exports.createQuery = (options: QueryOptions) => {
      const state: QueryState = { query: this.#create(options), options };
      this.#state = state;
      return standIn(() => state.query, Object.keys(state.query));
    };
  }

  /**
   * @param typeMap of the joined schema; undefined if it is the one that is there
   * @returns how to put the query in place that is made of these services
   */
  prepare(services: LoadedService[], typeMap: unknown): () => void {
    const state = this.#state;
    if (!state) {
      throw new Error('Expected the modules to be loaded before one is reloaded; this is our bug.');
    }
    const options = this.#optionsFor(state.options, services, typeMap);
    const query = this.#create(options);
    return () => {
      state.query = query;
      state.options = options;
    };
  }

  #optionsFor(options: QueryOptions, services: LoadedService[], typeMap: unknown): QueryOptions {
    if (!('remoteQuery' in options)) {
      const relationMap = typeMap && this.#schema.relationsOf(typeMap);
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
}

function standIn(current: () => Query, methods: string[]): Query {
  const query = ((...args) => current()(...args)) as Query;
  for (const method of methods) {
    query[method] = (...args) => current()[method]?.(...args);
  }
  return query;
}
