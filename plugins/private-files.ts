import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { launcherOf } from '../src/host/launchers/launcher.ts';
import { loadVite } from '../src/vite/project-vite.ts';
import { findProject } from './find-project.ts';

/** The folder has the database's files, its password, and the output of `medusa build`. */
const PRIVATE = '**/.medusa/**';

/** Keeps a Vite that serves the project to browsers from handing out private files. */
export function medusaPrivateFiles(): Plugin {
  return {
    name: 'medusa-vite:private-files',
    enforce: 'pre',
    apply: (_config, { command, isPreview }) => command === 'serve' && !isPreview,
    async config(config) {
      const launcher = launcherOf(config.plugins);
      if (launcher === 'cli' || launcher === 'vite-node') {
        // These open no port.
        return undefined;
      }
      const own = config.server?.fs?.deny;
      // Any list replaces Vite's own, which differs from version to version.
      const defaults = own ? [] : await readDefaults(resolve(config.root ?? '.'));
      return { server: { fs: { deny: [...defaults, PRIVATE] } } };
    },
  };
}

async function readDefaults(root: string): Promise<string[]> {
  const { resolveConfig } = await loadVite(findProject({ root, configFile: undefined }));
  const { server } = await resolveConfig({ root, configFile: false, envDir: false }, 'serve');
  return server.fs.deny;
}
