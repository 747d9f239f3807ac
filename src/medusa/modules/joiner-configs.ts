import type { MedusaContainer } from '../boot/loaded-app.ts';
import type { MedusaPackages } from '../packages.ts';
import { JoinedSchema } from './joined-schema.ts';
import { JoinerDependents } from './joiner-dependents.ts';
import { type JoinerConfig, type LoadedService, ModuleList } from './module-list.ts';
import { StableQuery } from './stable-query.ts';

interface Link {
  modulesMap: Map<string, unknown>;
  relationsPairs: Map<string, unknown>;
  relations: Map<string, unknown>;
}

type LinkClass = new (services: LoadedService[]) => Link;

/**
 * What is built on the joiner configs of all modules: Medusa's own list of them, `query`, and `link`. They are
 * built again beside those that serve, and put behind them in one step.
 * (`modules-sdk/dist/medusa-app.js` and `link.js`, 2.12.1 to 2.21.2)
 */
export class JoinerConfigs {
  readonly #modules: ModuleList;
  readonly #schema: JoinedSchema;
  readonly #query: StableQuery;
  readonly #dependents: JoinerDependents;
  readonly #link: LinkClass;
  readonly #container: () => MedusaContainer;

  /** @param container Medusa's own, once the app is loaded. */
  constructor(packages: MedusaPackages, container: () => MedusaContainer) {
    this.#container = container;
    this.#modules = new ModuleList(packages);
    this.#schema = new JoinedSchema(packages);
    this.#query = new StableQuery(packages, this.#schema);
    this.#dependents = new JoinerDependents(packages, this.#modules);
    const path = 'dist/link.js';
    const { Link } = packages.require('@medusajs/modules-sdk', path);
    if (typeof Link !== 'function') {
      throw packages.unexpected(`@medusajs/modules-sdk/${path}#Link`);
    }
    this.#link = Link as LinkClass;
  }

  /**
   * What else Medusa has made of the joiner configs, and cannot make again in a running app.
   * @param changed joiner configs, by the key of their module
   * @returns words for it, or undefined if there is nothing
   * @throws what Medusa says of a link to something that is no longer there
   */
  dependent(changed: ReadonlyMap<string, JoinerConfig>): string | undefined {
    return this.#dependents.find(changed);
  }

  /**
   * @param changed joiner configs, by the key of their module
   * @returns how to put them in place
   * @throws what would keep Medusa from starting with them, such as an alias that is taken
   */
  prepare(changed: ReadonlyMap<string, JoinerConfig>): () => void {
    const services = this.#modules.services.map((service) =>
      withJoinerConfig(service, changed.get(service.__definition.key)),
    );
    const commitQuery = this.#query.prepare(services, this.#nextTypeMap(changed));
    const { modulesMap, relationsPairs, relations } = new this.#link(services);
    return () => {
      for (const [key, config] of changed) {
        this.#modules.setJoinerConfig(key, config);
      }
      commitQuery();
      const link = this.#container().resolve<Link>('link');
      Object.assign(link, { modulesMap, relationsPairs, relations });
      this.#tellSettings();
    };
  }

  /** Undefined if no schema is another. */
  #nextTypeMap(changed: ReadonlyMap<string, JoinerConfig>): unknown {
    const isSame = [...changed].every(
      ([key, { schema }]) => schema === this.#modules.joinerConfigOf(key)?.schema,
    );
    return isSame ? undefined : this.#schema.typeMapOf(this.#modules.joinerConfigsWith(changed));
  }

  /**
   * The settings module keeps what it has read of them.
   * (`settings/dist/services/settings-module-service.js`, as of 2.21)
   */
  #tellSettings(): void {
    const { entityDiscoveryService_: entities } = Object(this.#modules.serviceOf('settings')) as {
      entityDiscoveryService_?: { initialize?(configs: JoinerConfig[]): void };
    };
    entities?.initialize?.(this.#modules.joinerConfigs);
  }
}

/** The service as it will be, for whoever reads its joiner config while it is built. */
function withJoinerConfig(service: LoadedService, config: JoinerConfig | undefined): LoadedService {
  return config
    ? new Proxy(service, {
        get: (target, key) => (key === '__joinerConfig' ? config : Reflect.get(target, key)),
      })
    : service;
}
