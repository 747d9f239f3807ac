import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CLI } from './repository.ts';

/** How a test starts the backend; the same tests hold for each launcher. */
export type Launcher = 'cli' | 'vite-node' | 'vite';

/** Set by the projects of vite.config.ts. */
export const LAUNCHER: Launcher =
  (process.env.MEDUSA_VITE_LAUNCHER as Launcher | undefined) ?? 'cli';

/** Options of `medusa()`: only the launcher `vite` gets its options there. */
export const MEDUSA_OPTIONS: string =
  LAUNCHER === 'vite'
    ? "port: 0, json: true, nodeArgs: JSON.parse(process.env.NODE_ARGS ?? '[]'),"
    : '';

/** The files that a project needs for a launcher. */
export function filesOf(launcher: Launcher): Record<string, string> {
  switch (launcher) {
    case 'cli':
      return {};
    case 'vite-node':
      return {
        'vite.config.ts': viteConfig('medusa()'),
        'dev.ts': `
import { serve } from 'medusa-vite/vite-node';
serve({ port: 0, json: true, nodeArgs: JSON.parse(process.env.NODE_ARGS ?? '[]') });
`,
      };
    case 'vite':
      return {
        'vite.config.ts': viteConfig(
          "medusa({ port: 0, json: true, nodeArgs: JSON.parse(process.env.NODE_ARGS ?? '[]') })",
        ),
        'index.html': '<script type="module" src="/web/main.ts"></script>\n',
        'web/main.ts': `import { text } from './text.ts';\ndocument.title = text;\n`,
        'web/text.ts': "export const text: string = 'one';\n",
      };
  }
}

function viteConfig(plugin: string): string {
  return `
import { medusa } from 'medusa-vite';
export default { plugins: [${plugin}], server: { port: 0 } };
`;
}

export interface Command {
  args: string[];
  env: Record<string, string>;
}

/** The arguments for Node. `args` are those of `medusa-vite dev`; other launchers know only those after `--`. */
export function commandOf(
  launcher: Launcher,
  { root, args, cli = CLI }: { root: string; args: string[]; cli?: string },
): Command {
  if (launcher === 'cli') {
    return { args: [cli, 'dev', '--json', '-p', '0', ...args], env: {} };
  }
  const separator = args.indexOf('--');
  if (separator !== 0 && args.length > 0) {
    throw new Error(`\`${launcher}\` does not take \`${args.join(' ')}\`.`);
  }
  const env = { NODE_ARGS: JSON.stringify(args.slice(1)) };
  return launcher === 'vite'
    ? { args: [binOf(root, 'vite', 'bin/vite.js')], env }
    : { args: [binOf(root, 'vite-node', 'dist/cli.mjs'), '--watch', 'dev.ts'], env };
}

function binOf(root: string, name: string, file: string): string {
  const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
  return join(dirname(manifest), file);
}
