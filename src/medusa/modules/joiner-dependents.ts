import type { MedusaPackages } from '../packages.ts';
import type { JoinerConfig, ModuleList } from './module-list.ts';

/** Modules that are made of the joiner configs of the others. */
const DEPENDENT_MODULES = ['index', 'caching'];
/** A feature that is, too. */
const DEPENDENT_FEATURE = 'rbac_filter_fields';

/**
 * What Medusa makes of the joiner configs when it starts, and cannot make again in a running app.
 * (2.12.1 to 2.21.2)
 */
export class JoinerDependents {
  readonly #modules: ModuleList;
  readonly #isFlagOn: (flag: string) => boolean;

  constructor(packages: MedusaPackages, modules: ModuleList) {
    this.#modules = modules;
    const path = 'dist/feature-flags/flag-router.js';
    const { FeatureFlag } = packages.require('@medusajs/utils', path) as {
      FeatureFlag?: { isFeatureEnabled(flag: string): boolean };
    };
    this.#isFlagOn = (flag) => FeatureFlag?.isFeatureEnabled(flag) ?? false;
  }

  /**
   * @param changed joiner configs, by the key of their module
   * @returns words for what there is, or undefined
   * @throws what Medusa says of a link to something that is no longer there
   */
  find(changed: ReadonlyMap<string, JoinerConfig>): string | undefined {
    const module = DEPENDENT_MODULES.find((key) => this.#modules.has(key));
    if (module !== undefined) {
      return `the ${module} module`;
    }
    if (this.#isFlagOn(DEPENDENT_FEATURE)) {
      return `the feature \`${DEPENDENT_FEATURE}\``;
    }
    for (const [key, config] of changed) {
      const previous = this.#modules.joinerConfigOf(key);
      if (previous?.serviceName !== config.serviceName) {
        return 'the config';
      }
      if (isOtherForLinks(previous, config) && this.#isLinked(config.serviceName)) {
        return 'its links';
      }
    }
    return this.#changesLinks(changed) ? 'its links' : undefined;
  }

  /** Whether a link, of the project or of Medusa, has the module at one of its ends. */
  #isLinked(serviceName: string | undefined): boolean {
    return this.#modules.joinerConfigs
      .filter(({ isLink, extends: extended }) => isLink || extended?.length)
      .some(({ relationships = [], extends: extended = [] }) =>
        [...relationships, ...extended, ...extended.flatMap((end) => end.relationship ?? [])].some(
          (end) => end.serviceName === serviceName,
        ),
      );
  }

  #changesLinks(changed: ReadonlyMap<string, JoinerConfig>): boolean {
    const links = this.#modules.customLinks;
    const before = this.#modules.joinerConfigs;
    const after = this.#modules.joinerConfigsWith(changed);
    const define = (configs: JoinerConfig[]) => links.map((link) => JSON.stringify(link(configs)));
    const defined = define(before);
    try {
      return define(after).some((definition, index) => definition !== defined[index]);
    } finally {
      // They also write on what their files export.
      define(before);
    }
  }
}

function isOtherForLinks(previous: JoinerConfig | undefined, next: JoinerConfig): boolean {
  return (
    JSON.stringify(previous?.linkableKeys) !== JSON.stringify(next.linkableKeys) ||
    !previous?.schema !== !next.schema
  );
}
