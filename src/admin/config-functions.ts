import { ModuleChannel } from '../app/runner/module-channel.ts';
import { hookNativeRequire } from '../app/runner/native/require-hook.ts';
import { ProjectRunner } from '../app/runner/project-runner.ts';
import { StackTraces } from '../app/runner/stack-traces.ts';
import { readConfig } from '../medusa/boot/config.ts';
import { replaceDynamicImport } from '../medusa/boot/dynamic-import.ts';
import { FileConfigs } from '../medusa/boot/file-config.ts';
import { MedusaPackages } from '../medusa/packages.ts';
import { CHANNEL_FD } from '../protocol/channel.ts';

/**
 * Evaluates the project's config as the app does. The options of the admin that are functions are taken from here:
 * functions cannot be sent from one process to another.
 */
export async function readConfigFunctions(
  names: string[],
  { root, onNative }: { root: string; onNative(file: string): void },
): Promise<Record<string, unknown>> {
  const channel = new ModuleChannel(CHANNEL_FD);
  const runner = new ProjectRunner({ root, channel, onEdge: () => {}, onNative });
  new StackTraces((file) => runner.codeOf(file)).install();
  hookNativeRequire({ root, requireFile: (file) => runner.requireFile(file), onNative });
  const packages = new MedusaPackages(root);
  replaceDynamicImport(packages, {
    root,
    fileConfigs: new FileConfigs(packages),
    importFile: (file) => runner.importFile(file),
    decorate: (_file, exports) => exports,
  });
  const config = await readConfig(packages, root);
  const { admin } = Object(config) as { admin?: Record<string, unknown> };
  return Object.fromEntries(names.map((name) => [name, admin?.[name]]));
}
