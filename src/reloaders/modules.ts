import { sameStructure } from '../child/same-exports.ts';
import { readModule, readProvider } from '../medusa/module-exports.ts';
import type { ReloadFile } from '../protocol/messages.ts';
import { relativeToRoot } from '../protocol/paths.ts';
import {
  type PreparedReload,
  type ReloadContext,
  type Reloader,
  RestartNeeded,
} from './reloader.ts';
import type { Exports } from './routes.ts';
import { type ServiceReplacement, ServiceShell } from './service-shell.ts';

type Loader = (...args: unknown[]) => unknown;

/** A module, or a module provider, that Medusa has loaded from one file. */
interface LoadedModule {
  kind: 'module' | 'provider';
  shells: ServiceShell[];
  loaders: StableLoader[];
  joinerConfig: unknown;
}

/** A loader of the user's, with what Medusa called it with. */
interface StableLoader {
  current: Loader;
  calls: unknown[][];
}

const MODULE_FILE = /^src\/(?:modules|providers)\/[^/]+\/index\.[jt]s$/;

/** Services of modules and of module providers, and the loaders of modules. */
export class ModulesReloader implements Reloader {
  readonly name = 'modules';
  readonly #root: string;
  readonly #loaded = new Map<string, LoadedModule>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Called for every file that Medusa's loaders import; Medusa imports a module's file twice. */
  decorate(file: string, exports: Exports): Exports {
    if (!MODULE_FILE.test(relativeToRoot(this.#root, file))) {
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
        loaders: read.loaders.map((current) => ({ current, calls: [] })),
        joinerConfig: read.joinerConfig,
      };
      this.#loaded.set(file, loaded);
    }
    const services = loaded.shells.map(({ proxy }) => proxy);
    return read.replace(services, loaded.loaders.map(toFunction));
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<PreparedReload> {
    const resources: string[] = [];
    const replacements: ServiceReplacement[] = [];
    const commits: (() => void)[] = [];
    for (const { file } of files) {
      const name = relativeToRoot(this.#root, file).split('/').at(-2) ?? '';
      const loaded = this.#loaded.get(file);
      const exports = await context.importFile(file);
      const read = readModule(exports) ?? readProvider(exports);
      if (!loaded || !read) {
        throw new RestartNeeded(`the module ${name} is not one that the app has loaded`);
      }
      if (
        read.services.length !== loaded.shells.length ||
        read.loaders.length !== loaded.loaders.length
      ) {
        throw new RestartNeeded(`the services or loaders of the module ${name} are others now`);
      }
      if (!sameStructure(read.joinerConfig, loaded.joinerConfig)) {
        throw new RestartNeeded(`the joiner config of the module ${name} changed`);
      }
      for (const [index, loader] of loaded.loaders.entries()) {
        const next = read.loaders[index];
        if (next && next !== loader.current) {
          for (const args of loader.calls) {
            await next(...args);
          }
          commits.push(() => {
            loader.current = next;
          });
        }
      }
      for (const [index, shell] of loaded.shells.entries()) {
        const next = read.services[index];
        if (next && next !== shell.current) {
          replacements.push(shell.replace(next));
        }
      }
      resources.push(`${loaded.kind} ${name}`);
    }
    return {
      resources,
      commit: () => {
        for (const commit of [...commits, ...replacements.map(({ commit }) => commit)]) {
          commit();
        }
      },
      dispose: async () => {
        for (const replacement of replacements) {
          await replacement.dispose();
        }
      },
    };
  }
}

function toFunction(loader: StableLoader): Loader {
  return (...args) => {
    loader.calls.push(args);
    return loader.current(...args);
  };
}
