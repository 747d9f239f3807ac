import type { JoinerConfigs } from '../../medusa/modules/joiner-configs.ts';
import { LoadedModule } from '../../medusa/modules/loaded-module.ts';
import { type ModuleExports, readModuleExports } from '../../medusa/modules/module-exports.ts';
import type { JoinerConfig } from '../../medusa/modules/module-list.ts';
import type { ServiceReplacement } from '../../medusa/modules/service-shell.ts';
import type { StagedContainer } from '../../medusa/modules/staged-container.ts';
import { kindOf, medusaModuleOf } from '../../project/layout.ts';
import type { ReloadFile } from '../../protocol/messages.ts';
import type { RestartReason } from '../../protocol/reason.ts';
import type { Exports } from '../../shared/exports.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import { runEach } from '../../shared/run-each.ts';
import {
  type ReloadContext,
  type ResourceReload,
  type ResourceReloader,
  RestartNeeded,
} from './resource-reloader.ts';

/** Services of modules and of module providers, the loaders of modules, and their joiner configs. */
export class ModulesReloader implements ResourceReloader {
  readonly name = 'modules';
  readonly #root: string;
  readonly #joinerConfigs: JoinerConfigs;
  /** By file. */
  readonly #loaded = new Map<string, LoadedModule>();

  constructor(root: string, joinerConfigs: JoinerConfigs) {
    this.#root = root;
    this.#joinerConfigs = joinerConfigs;
  }

  /** Called for every file that Medusa's loaders import; Medusa imports a module's file twice. */
  decorate(file: string, exports: Exports): Exports {
    const isModule = kindOf(relativeToRoot(this.#root, file)) === 'medusa module';
    const read = isModule ? readModuleExports(exports) : undefined;
    if (!read) {
      return exports;
    }
    const loaded =
      this.#loaded.get(file) ?? new LoadedModule({ file, name: this.#nameOf(file) }, read);
    this.#loaded.set(file, loaded);
    return loaded.standIn(read);
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload> {
    const resources: string[] = [];
    const staged: StagedContainer[] = [];
    const replacements: ServiceReplacement[] = [];
    const commits: (() => void)[] = [];
    const joinerConfigs = new Map<string, JoinerConfig>();
    for (const { file } of files) {
      const { loaded, next } = await this.#read(file, context);
      refuse(loaded.obstacle(next));
      const { containers, obstacle, commit } = await loaded.stageLoaders(next);
      refuse(obstacle);
      const changed = loaded.changedJoinerConfigs(next);
      if (changed.size > 0) {
        this.#assertReplaceable(changed, loaded, file);
      }
      for (const [key, config] of changed) {
        joinerConfigs.set(key, config);
      }
      replacements.push(...loaded.replaceServices(next, { containers, joinerConfigs: changed }));
      staged.push(...containers);
      commits.push(commit, () => loaded.commit(next));
      resources.push(loaded.resource);
    }
    if (joinerConfigs.size > 0) {
      const [first] = files;
      commits.push(withFile(first?.file ?? '', () => this.#joinerConfigs.prepare(joinerConfigs)));
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
      dispose: () => runEach([...replacements.map(({ dispose }) => dispose), ...disposals]),
    };
  }

  async #read(
    file: string,
    context: ReloadContext,
  ): Promise<{ loaded: LoadedModule; next: ModuleExports }> {
    const loaded = this.#loaded.get(file);
    const next = readModuleExports(await context.importFile(file));
    if (!loaded || !next) {
      throw new RestartNeeded({ type: 'module-not-loaded', module: this.#nameOf(file) });
    }
    return { loaded, next };
  }

  #assertReplaceable(changed: Map<string, JoinerConfig>, { name }: LoadedModule, file: string) {
    const dependent = withFile(file, () => this.#joinerConfigs.dependent(changed));
    if (dependent !== undefined) {
      throw new RestartNeeded({ type: 'joiner-config-in-use', module: name, dependent });
    }
  }

  #nameOf(file: string): string {
    return medusaModuleOf(relativeToRoot(this.#root, file)) ?? '';
  }
}

function refuse(obstacle: RestartReason | undefined): void {
  if (obstacle) {
    throw new RestartNeeded(obstacle);
  }
}

/** Adds the file to an error: Medusa's errors about a joiner config do not name it. */
function withFile<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw Object.assign(error as Error, { file });
  }
}
