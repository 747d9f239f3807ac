import { ModuleChannel } from '../child/module-channel.ts';
import { hookNativeRequire } from '../child/native-files.ts';
import { ProjectRunner } from '../child/project-runner.ts';
import { StackTraces } from '../child/stack-traces.ts';
import { readConfig } from '../medusa/config.ts';
import { replaceDynamicImport } from '../medusa/dynamic-import.ts';
import { FileConfigs } from '../medusa/file-config.ts';
import { MedusaPackages } from '../medusa/packages.ts';
import { CHANNEL_FD } from '../protocol/channel.ts';

/**
 * Evaluates the project's config as the app does, for the options of the admin that are functions: those
 * cannot be sent from one process to another.
 */
export async function readConfigFunctions(
  names: string[],
  { root, onNative }: { root: string; onNative(file: string): void },
): Promise<Record<string, unknown>> {
  const channel = new ModuleChannel(CHANNEL_FD);
  const runner: ProjectRunner = new ProjectRunner({ root, channel, onEdge: () => {}, onNative });
  new StackTraces((file) => runner.codeOf(file)).install();
  hookNativeRequire({ root, requireFile: (file) => runner.requireFile(file), onNative });
  const packages = new MedusaPackages(root);
  replaceDynamicImport(packages, root, new FileConfigs(packages), {
    importFile: (file) => runner.importFile(file),
    decorate: (_file, exports) => exports,
  });
  const config = await readConfig(packages, root);
  const { admin } = Object(config) as { admin?: Record<string, unknown> };
  return Object.fromEntries(names.map((name) => [name, admin?.[name]]));
}
