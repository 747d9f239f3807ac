import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ModuleReason } from '../../protocol/reason.ts';
import type { Exports } from '../../shared/exports.ts';
import { sameStructure } from '../../shared/same-structure.ts';
import { type ModuleExports, providerIdentity } from './module-exports.ts';
import { completeJoinerConfig, writtenAnew } from './module-instance.ts';
import type { JoinerConfig } from './module-list.ts';
import { ModuleLoader } from './module-loader.ts';
import { type ServiceReplacement, ServiceShell } from './service-shell.ts';
import { type ModuleContainer, StagedContainer } from './staged-container.ts';

/** What the loaders of the new version have registered, apart from what serves. */
export interface StagedLoaders {
  containers: StagedContainer[];
  /** Why it cannot take the place of what the old version has registered. */
  obstacle: ModuleReason | undefined;
  commit(): void;
}

/** What the services of the new version are made with. */
interface ServiceSurroundings {
  containers: readonly StagedContainer[];
  joinerConfigs: ReadonlyMap<string, JoinerConfig>;
}

/** A Medusa module, or a module provider, as Medusa has loaded it from one file. */
export class LoadedModule {
  readonly name: string;
  readonly #file: string;
  readonly #kind: ModuleExports['kind'];
  readonly #shells: ServiceShell[];
  readonly #loaders: ModuleLoader[];
  /** As the service gives it; Medusa adds to that. */
  #joinerConfig: unknown;

  constructor({ file, name }: { file: string; name: string }, loaded: ModuleExports) {
    this.name = name;
    this.#file = file;
    this.#kind = loaded.kind;
    this.#shells = loaded.services.map((service) => new ServiceShell(service));
    this.#loaders = loaded.loaders.map((loader) => new ModuleLoader(loader));
    this.#joinerConfig = loaded.joinerConfig;
  }

  get resource(): string {
    return `${this.#kind} ${this.name}`;
  }

  /** What Medusa gets instead of what the file exports: services and loaders that can be replaced. */
  standIn({ replace }: ModuleExports): Exports {
    return replace(
      this.#shells.map(({ proxy }) => proxy),
      this.#loaders.map(({ call }) => call),
    );
  }

  /** Why the new version cannot take the place of this one. */
  obstacle({ services, loaders }: ModuleExports): ModuleReason | undefined {
    if (services.length !== this.#shells.length || loaders.length !== this.#loaders.length) {
      return { type: 'module-parts-changed', module: this.name };
    }
    const isOther = services.some(
      (service, index) =>
        this.#kind === 'provider' &&
        providerIdentity(service) !== providerIdentity(this.#shells[index]?.current),
    );
    return isOther ? { type: 'provider-identity', provider: this.name } : undefined;
  }

  /** Runs the loaders from the first one that changed on, since one may use what another has registered. */
  async stageLoaders(next: ModuleExports): Promise<StagedLoaders> {
    const staged = new Map<object, StagedContainer>();
    const stage = (container: ModuleContainer) => {
      const one = staged.get(container) ?? new StagedContainer(container);
      staged.set(container, one);
      return one;
    };
    const first = this.#firstToRun(next);
    const commits: (() => void)[] = [];
    let missing: string[] = [];
    for (const [index, loader] of this.#loaders.entries()) {
      const current = next.loaders[index];
      if (current && index >= first && missing.length === 0) {
        const rerun = await loader.rerun(current, stage);
        missing = rerun.missing;
        commits.push(rerun.commit);
      }
    }
    const containers = [...staged.values()];
    return {
      containers,
      obstacle: this.#obstacleOf(containers, missing),
      commit: () => {
        for (const commit of commits) {
          commit();
        }
      },
    };
  }

  /** Joiner configs that are others in the new version, by the key of the module. */
  changedJoinerConfigs({ joinerConfig }: ModuleExports): Map<string, JoinerConfig> {
    return sameStructure(joinerConfig, this.#joinerConfig)
      ? new Map()
      : completeJoinerConfig(
          this.#shells.flatMap(({ instances }) => instances),
          joinerConfig,
        );
  }

  /** Constructs the services of the new version. @throws what a constructor throws */
  replaceServices(
    next: ModuleExports,
    { containers, joinerConfigs }: ServiceSurroundings,
  ): ServiceReplacement[] {
    // What its loaders have registered is what a service is constructed from.
    const isDue = containers.some(({ names }) => names.length > 0);
    return this.#shells.flatMap((shell, index) => {
      const service = next.services[index] ?? shell.current;
      return isDue || service !== shell.current
        ? shell.replace(service, {
            argsOf: (args) => containers.reduce((all, one) => one.replaceCradle(all), args),
            assigned: (instance) => writtenAnew(instance, joinerConfigs),
          })
        : [];
    });
  }

  /** The new version has taken the place of the old one. */
  commit({ joinerConfig }: ModuleExports): void {
    this.#joinerConfig = joinerConfig;
  }

  #firstToRun({ services, loaders }: ModuleExports): number {
    // A service that is replaced may close what a loader has opened for it: then the loaders open it anew.
    const closesWhatItGot = this.#shells.some(
      (shell, index) => shell.current !== services[index] && shell.hasShutdownHook,
    );
    const changed = this.#loaders.findIndex(({ current }, index) => current !== loaders[index]);
    return closesWhatItGot ? 0 : changed === -1 ? this.#loaders.length : changed;
  }

  #obstacleOf(containers: StagedContainer[], missing: string[]): ModuleReason | undefined {
    const module = this.name;
    if (missing.length > 0) {
      return { type: 'module-loader-misses', module, missing };
    }
    if (containers.some(({ hasAppended }) => hasAppended)) {
      return { type: 'module-loader-adds', module };
    }
    // Its other services, which Medusa makes only once, may hold what was registered before.
    const isRegistering = containers.some(({ names }) => names.length > 0);
    return isRegistering && hasOwnServices(this.#file)
      ? { type: 'module-loader-services', module }
      : undefined;
  }
}

/** As Medusa looks for them. */
const SERVICE_FILE = /^(?!index\.)(?!.*\.d\.ts$).*\.[jt]s$/;

/**
 * Whether a module has services besides its main one: Medusa makes those in its folder `services` once, for the
 * life of the process. (`modules-sdk/dist/loaders/utils/load-internal.js`, 2.12.1 to 2.21.2)
 * @param file the `index` of the module
 */
function hasOwnServices(file: string): boolean {
  try {
    return readdirSync(join(dirname(file), 'services')).some((name) => SERVICE_FILE.test(name));
  } catch {
    return false;
  }
}
