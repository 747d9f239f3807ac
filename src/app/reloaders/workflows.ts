import type { FileConfigs } from '../../medusa/boot/file-config.ts';
import { workflowIdsOf } from '../../medusa/workflows/workflow-loader.ts';
import type { WorkflowRegistry } from '../../medusa/workflows/workflow-registry.ts';
import { isIndex } from '../../project/layout.ts';
import type { ReloadFile } from '../../protocol/messages.ts';
import type { ReloadContext, ResourceReload, ResourceReloader } from './resource-reloader.ts';

export interface WorkflowsReloaderOptions {
  registry: WorkflowRegistry;
  fileConfigs: FileConfigs;
  /** Whether this Medusa loads `src/workflows/x/index.ts` by itself. */
  loadsIndexFiles: boolean;
}

/**
 * Workflows, steps and hook handlers. They register while they are evaluated, and the registries make that part
 * of the reload. This reloader only disables the workflows of disabled files, as Medusa's loader does.
 */
export class WorkflowsReloader implements ResourceReloader {
  readonly name = 'workflows';
  readonly isRegistering = true;
  readonly #options: WorkflowsReloaderOptions;

  constructor(options: WorkflowsReloaderOptions) {
    this.#options = options;
  }

  accepts(file: string): boolean {
    return this.#options.loadsIndexFiles || !isIndex(file);
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload> {
    const { registry, fileConfigs } = this.#options;
    const disabled: string[] = [];
    for (const { file, change } of files) {
      if (change !== 'delete' && fileConfigs.isDisabled(file)) {
        disabled.push(...workflowIdsOf(await context.importFile(file)));
      }
    }
    return {
      resources: [],
      commit: () => {
        for (const id of disabled) {
          registry.disable(id);
        }
      },
    };
  }
}
