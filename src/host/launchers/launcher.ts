import type { PluginOption } from 'vite';

/** The program that runs the plugin's Vite server. `test` is Vitest, which gets no host. */
export type Launcher = 'cli' | 'vite-node' | 'vite' | 'test';

/** Marks the Vite server of our own command. */
export const CLI_PLUGIN = 'medusa-vite:cli';
/** vite-node has this plugin only with `--watch`; otherwise there is nothing to bring up to date. */
const VITE_NODE_PLUGIN = 'vite-node:hmr';

export function launcherOf(plugins: readonly PluginOption[] | undefined): Launcher {
  const names = new Set(namesOf(plugins ?? []));
  if (names.has(CLI_PLUGIN)) {
    return 'cli';
  }
  if (names.has(VITE_NODE_PLUGIN)) {
    return 'vite-node';
  }
  return process.env.VITEST === undefined ? 'vite' : 'test';
}

function namesOf(plugins: readonly PluginOption[]): string[] {
  return plugins.flatMap((plugin) => {
    if (Array.isArray(plugin)) {
      return namesOf(plugin);
    }
    return plugin && 'name' in plugin ? [plugin.name] : [];
  });
}
