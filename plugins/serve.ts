import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin, ViteDevServer } from 'vite';
import { type Launcher, launcherOf } from '../src/host/launchers/launcher.ts';
import { SERVE_HOOK, type ServeOptions } from '../src/host/launchers/serve-options.ts';
import type { UnderViteNode } from '../src/host/launchers/under-vite-node.ts';
import { toPosix } from '../src/shared/paths.ts';
import { headlessConfig } from '../src/vite/headless.ts';
import { assertSupportedVite, assertSupportedViteNode } from '../src/vite/supported-vite.ts';
import { findProject } from './find-project.ts';

/** By project: the latest Vite server. A restart of Vite closes those before it. */
const latest = new Map<string, ViteDevServer>();
/** Outlives a restart of Vite. */
let underViteNode: UnderViteNode | undefined;

const SERVE_ID = '\0virtual:medusa-vite/serve';

/** Starts the backend where the CLI does not: beside a front end by `vite`, and for the entry of `vite-node`. */
export function medusaServe(options: ServeOptions | false): Plugin {
  let launcher: Launcher = 'vite';
  let root = '';
  let server: ViteDevServer | undefined;
  const configuredAt = findConfigTime();
  return {
    name: 'medusa-vite:serve',
    enforce: 'pre',
    apply: (_config, { command, isPreview }) => command === 'serve' && !isPreview,
    config(config) {
      assertSupportedVite(this?.meta?.viteVersion);
      launcher = launcherOf(config.plugins);
      // Above all the database's files. The root is known by the time a watcher asks.
      const isOwnData = (path: string) => toPosix(path).startsWith(`${root}/.medusa`);
      switch (launcher) {
        case 'vite-node':
          assertSupportedViteNode(readViteNodeVersion());
          return headlessConfig({
            root: toPosix(realpathSync.native(config.root ?? process.cwd())),
            pollMs: undefined,
          });
        case 'vite':
          // `null`: Vite watches nothing at all.
          return config.server?.watch === null
            ? undefined
            : { server: { watch: { ignored: [isOwnData] } } };
        default:
          return undefined;
      }
    },
    configResolved(config) {
      root = findProject(config);
    },
    async configureServer(vite) {
      if (options === false) {
        return;
      }
      if (launcher === 'vite-node') {
        const { UnderViteNode } = await import('../src/host/launchers/under-vite-node.ts');
        if (underViteNode) {
          underViteNode.follow(vite, options);
        } else {
          const under = new UnderViteNode(vite, root, options);
          underViteNode = under;
          const hook = (asked: ServeOptions) => under.serve(asked);
          Object.assign(globalThis, { [SERVE_HOOK]: hook });
        }
        return;
      }
      if (launcher === 'vite' && vite.httpServer) {
        const { serveBeside } = await import('../src/host/launchers/beside-vite.ts');
        server = vite;
        latest.set(root, vite);
        vite.httpServer.once(
          'listening',
          () => void serveBeside(vite, { root, options, configuredAt }),
        );
      }
    },
    // vite-node itself runs this module, and so runs it again whenever it runs the entry again.
    resolveId: (source) =>
      launcher === 'vite-node' && source === 'medusa-vite/serve' ? SERVE_ID : undefined,
    load: (id) =>
      id === SERVE_ID ? `globalThis[Symbol.for('${SERVE_HOOK.description}')]({});` : undefined,
    async closeBundle() {
      // When Vite restarts, the next server is there before this one is closed.
      if (server && latest.get(root) === server) {
        const { closeBeside } = await import('../src/host/launchers/beside-vite.ts');
        await closeBeside(root);
      }
    },
  };
}

/** When Vite began to read the config that it is evaluating now; in the time of `performance.now()`. */
function findConfigTime(): number {
  // Vite sets it at each start and restart, for the line that says how long it took.
  const { __vite_start_time: time } = globalThis as { __vite_start_time?: unknown };
  return typeof time === 'number' ? time : performance.now();
}

/** The version of the vite-node that runs this process. */
function readViteNodeVersion(): string {
  for (let folder = dirname(realpathSync(process.argv[1] ?? '.')); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    const manifest: unknown = existsSync(file) && JSON.parse(readFileSync(file, 'utf8'));
    if (manifest instanceof Object && Reflect.get(manifest, 'name') === 'vite-node') {
      return String(Reflect.get(manifest, 'version'));
    }
    if (dirname(folder) === folder) {
      return 'of an unknown version';
    }
  }
}
