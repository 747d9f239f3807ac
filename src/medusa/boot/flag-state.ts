import { join } from 'node:path';
import type { MedusaPackages } from '../packages.ts';

type Flags = Record<string, unknown>;

type Discover = (options: {
  flagDir: string;
  projectConfigFlags: Flags;
  router: unknown;
}) => Promise<void>;

/**
 * Medusa's one record of feature flags, which is filled while an app boots. Some of Medusa's files look at it
 * while they are loaded. (`utils/dist/feature-flags/flag-router.js`, the same in 2.12.1 and 2.21.2)
 */
export class FlagState {
  readonly #router: { flags: Flags };
  readonly #discover: Discover;
  /** Where Medusa has the flags of its own. */
  readonly #coreFolder: string;
  /** What was looked at while the flags were assumed. */
  readonly #reads = new Map<string, unknown>();

  constructor(packages: MedusaPackages) {
    const path = 'dist/feature-flags/flag-router.js';
    const { FeatureFlag } = packages.require('@medusajs/utils', path);
    const router = FeatureFlag as { flags?: unknown } | undefined;
    if (!(router?.flags instanceof Object)) {
      throw packages.unexpected(`@medusajs/utils/${path}#FeatureFlag.flags`);
    }
    this.#router = router as { flags: Flags };
    const discovery = 'dist/feature-flags/discover-and-register-feature-flags.js';
    const { discoverAndRegisterFeatureFlags } = packages.require('@medusajs/utils', discovery);
    if (typeof discoverAndRegisterFeatureFlags !== 'function') {
      throw packages.unexpected(`@medusajs/utils/${discovery}`);
    }
    this.#discover = discoverAndRegisterFeatureFlags as Discover;
    this.#coreFolder = join(packages.folderOf('@medusajs/medusa'), 'dist');
  }

  get flags(): Flags {
    return { ...this.#router.flags };
  }

  /**
   * Sets the flags as a boot will that is yet to come: a project file may ask for one at its top level.
   * (`medusa/dist/loaders/index.js#initializeContainer`, the same in 2.12.1 and 2.21.2)
   */
  async set(root: string, config: unknown): Promise<void> {
    const { featureFlags } = Object(config) as { featureFlags?: Flags };
    const router = this.#router;
    await this.#discover({ flagDir: root, projectConfigFlags: {}, router });
    await this.#discover({
      flagDir: this.#coreFolder,
      projectConfigFlags: featureFlags ?? {},
      router,
    });
  }

  /** Shows these flags until the function is called that is returned. */
  assume(flags: Flags): () => void {
    const original = this.#router.flags;
    this.#router.flags = new Proxy(
      { ...flags },
      {
        get: (target, key) => {
          const value = Reflect.get(target, key);
          if (typeof key === 'string') {
            this.#reads.set(key, value);
          }
          return value;
        },
      },
    );
    return () => {
      this.#router.flags = original;
    };
  }

  /** @returns the first flag that is not what was assumed of it */
  findDifference(): string | undefined {
    for (const [key, value] of this.#reads) {
      // A flag may be an object of flags.
      if (JSON.stringify(this.#router.flags[key]) !== JSON.stringify(value)) {
        return key;
      }
    }
    return undefined;
  }
}
