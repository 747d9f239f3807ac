import type { JoinerConfig, JoinerConfigs } from '../../medusa/modules/joiner-configs.ts';
import {
  type ModuleExports,
  providerIdentity,
  readModule,
  readProvider,
} from '../../medusa/modules/module-exports.ts';
import { ModuleLoader } from '../../medusa/modules/module-loader.ts';
import { hasOwnServices } from '../../medusa/modules/own-services.ts';
import { type ServiceReplacement, ServiceShell } from '../../medusa/modules/service-shell.ts';
import { StagedContainer } from '../../medusa/modules/staged-container.ts';
import { kindOf, medusaModuleOf } from '../../project/layout.ts';
import type { ReloadFile } from '../../protocol/messages.ts';
import type { Exports } from '../../shared/exports.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import { sameStructure } from '../reload/same-exports.ts';
import {
  type PreparedReload,
  type ReloadContext,
  type ResourceReloader,
  RestartNeeded,
} from './resource-reloader.ts';

/** A module, or a module provider, that Medusa has loaded from one file. */
interface LoadedModule {
  kind: 'module' | 'provider';
  shells: ServiceShell[];
  loaders: ModuleLoader[];
  /** As the service gives it; Medusa adds to that. */
  joinerConfig: unknown;
}

/** What Medusa has written on a service. */
interface ModuleInstance {
  __definition?: { key: string; isQueryable: boolean };
  __joinerConfig?: JoinerConfig;
}

/** Services of modules and of module providers, the loaders of modules, and their joiner configs. */
export class ModulesReloader implements ResourceReloader {
  readonly name = 'modules';
  readonly #root: string;
  readonly #joinerConfigs: JoinerConfigs;
  readonly #loaded = new Map<string, LoadedModule>();

  constructor(root: string, joinerConfigs: JoinerConfigs) {
    this.#root = root;
    this.#joinerConfigs = joinerConfigs;
  }

  /** Called for every file that Medusa's loaders import; Medusa imports a module's file twice. */
  decorate(file: string, exports: Exports): Exports {
    if (kindOf(relativeToRoot(this.#root, file)) !== 'medusa module') {
      return exports;
    }
    const module = readModule(exports);
    const provider = module ? undefined : readProvider(exports);
    const read = module ?? provider;
    if (!read) {
      return exports;
    }
    let loaded = this.#loaded.get(file);
    if (!loaded) {
      loaded = {
        kind: module ? 'module' : 'provider',
        shells: read.services.map((service) => new ServiceShell(service)),
        loaders: read.loaders.map((current) => new ModuleLoader(current)),
        joinerConfig: read.joinerConfig,
      };
      this.#loaded.set(file, loaded);
    }
    return read.replace(
      loaded.shells.map(({ proxy }) => proxy),
      loaded.loaders.map(({ call }) => call),
    );
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<PreparedReload> {
    const resources: string[] = [];
    const staged: StagedContainer[] = [];
    const replacements: ServiceReplacement[] = [];
    const commits: (() => void)[] = [];
    const joinerConfigs = new Map<string, JoinerConfig>();
    for (const { file } of files) {
      const { loaded, read, name } = await this.#read(file, context);
      assertSameProvider(loaded, read, name);
      const { containers, commit } = await runLoaders(loaded, read, name);
      if (containers.some(({ names }) => names.length > 0) && hasOwnServices(file)) {
        throw new RestartNeeded({ type: 'module-loader-services', module: name });
      }
      staged.push(...containers);
      commits.push(commit);

      const instances = loaded.shells.flatMap((shell) => shell.instances) as ModuleInstance[];
      const changed = sameStructure(read.joinerConfig, loaded.joinerConfig)
        ? new Map<string, JoinerConfig>()
        : nextJoinerConfigs(instances, read.joinerConfig);
      if (changed.size > 0) {
        this.#assertReplaceable(changed, name, file);
        commits.push(() => {
          loaded.joinerConfig = read.joinerConfig;
        });
      }
      for (const [key, config] of changed) {
        joinerConfigs.set(key, config);
      }
      for (const [index, shell] of loaded.shells.entries()) {
        const next = read.services[index] ?? shell.current;
        const isNew = next !== shell.current;
        // What its loaders have registered is what a service is constructed from.
        if (isNew || containers.some(({ names }) => names.length > 0)) {
          replacements.push(
            shell.replace(next, {
              argsOf: (args) => containers.reduce((all, one) => one.replaceCradle(all), args),
              assigned: (instance) => assignedTo(instance, changed),
            }),
          );
        }
      }
      resources.push(`${loaded.kind} ${name}`);
    }
    if (joinerConfigs.size > 0) {
      commits.push(this.#prepareJoinerConfigs(joinerConfigs, files));
    }
    const disposals: (() => Promise<void>)[] = [];
    return {
      resources,
      commit: () => {
        disposals.push(...staged.map((container) => container.commit()));
        for (const commit of [...replacements.map(({ commit }) => commit), ...commits]) {
          commit();
        }
      },
      dispose: async () => {
        for (const replacement of replacements) {
          await replacement.dispose();
        }
        for (const dispose of disposals) {
          await dispose();
        }
      },
    };
  }

  async #read(
    file: string,
    context: ReloadContext,
  ): Promise<{ loaded: LoadedModule; read: ModuleExports; name: string }> {
    const name = medusaModuleOf(relativeToRoot(this.#root, file)) ?? '';
    const loaded = this.#loaded.get(file);
    const exports = await context.importFile(file);
    const read = readModule(exports) ?? readProvider(exports);
    if (!loaded || !read) {
      throw new RestartNeeded({ type: 'module-not-loaded', module: name });
    }
    if (
      read.services.length !== loaded.shells.length ||
      read.loaders.length !== loaded.loaders.length
    ) {
      throw new RestartNeeded({ type: 'module-parts-changed', module: name });
    }
    return { loaded, read, name };
  }

  #assertReplaceable(changed: Map<string, JoinerConfig>, name: string, file: string): void {
    const dependent = withFile(file, () => this.#joinerConfigs.dependent(changed));
    if (dependent !== undefined) {
      throw new RestartNeeded({ type: 'joiner-config-in-use', module: name, dependent });
    }
  }

  #prepareJoinerConfigs(next: Map<string, JoinerConfig>, files: ReloadFile[]): () => void {
    return withFile(files[0]?.file ?? '', () => this.#joinerConfigs.prepare(next));
  }
}

function assertSameProvider(
  { kind, shells }: LoadedModule,
  read: ModuleExports,
  name: string,
): void {
  const isOther = read.services.some(
    (service, index) =>
      kind === 'provider' && providerIdentity(service) !== providerIdentity(shells[index]?.current),
  );
  if (isOther) {
    throw new RestartNeeded({ type: 'provider-identity', provider: name });
  }
}

/** A service that is replaced may close what a loader has opened for it: then the loaders open it anew. */
function closesWhatItGot({ shells }: LoadedModule, read: ModuleExports): boolean {
  return shells.some(
    (shell, index) => shell.current !== read.services[index] && shell.hasShutdownHook,
  );
}

/** From the first one that changed on, since one may use what another has registered. */
async function runLoaders(
  loaded: LoadedModule,
  read: ModuleExports,
  name: string,
): Promise<{ containers: StagedContainer[]; commit(): void }> {
  const containers = new Map<object, StagedContainer>();
  const commits: (() => void)[] = [];
  const { loaders } = loaded;
  const first = closesWhatItGot(loaded, read)
    ? 0
    : loaders.findIndex(({ current }, index) => current !== read.loaders[index]);
  for (const [index, loader] of loaders.entries()) {
    const next = read.loaders[index];
    if (next && first !== -1 && index >= first) {
      const stage = (container: object) => {
        const staged = containers.get(container) ?? new StagedContainer(container as never);
        containers.set(container, staged);
        return staged;
      };
      const { commit, missing } = await loader.rerun(next, stage);
      if (missing.length > 0) {
        throw new RestartNeeded({ type: 'module-loader-misses', module: name, missing });
      }
      commits.push(commit);
    }
  }
  if ([...containers.values()].some(({ hasAppended }) => hasAppended)) {
    throw new RestartNeeded({ type: 'module-loader-adds', module: name });
  }
  return {
    containers: [...containers.values()],
    commit: () => {
      for (const commit of commits) {
        commit();
      }
    },
  };
}

/** As Medusa completes them when it loads the module, by its key. (`modules-sdk/dist/medusa-module.js`) */
function nextJoinerConfigs(
  instances: ModuleInstance[],
  joinerConfig: unknown,
): Map<string, JoinerConfig> {
  const next = new Map<string, JoinerConfig>();
  for (const { __definition: definition, __joinerConfig: previous } of instances) {
    if (definition?.isQueryable) {
      next.set(definition.key, {
        serviceName: definition.key,
        primaryKeys: ['id'],
        ...(joinerConfig as JoinerConfig),
        databaseClientUrl: previous?.databaseClientUrl,
      });
    }
  }
  return next;
}

function assignedTo(instance: ModuleInstance, changed: Map<string, JoinerConfig>): object {
  const config = changed.get(instance.__definition?.key ?? '');
  return config ? { __joinerConfig: config } : {};
}

/** What Medusa says against a joiner config does not tell where it stands. */
function withFile<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw Object.assign(error as Error, { file });
  }
}
