import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect } from 'vitest';
import type { AppModules } from '../../../../src/host/processes/app-modules.ts';
import type { FetchedModule } from '../../../../src/protocol/messages.ts';
import type { Transformer } from '../../../../src/vite/transformer.ts';
import { REPOSITORY } from '../../../e2e/support/repository.ts';
import { ProjectProcess } from './project-process.ts';

/** Set to test another build than that of `npm run build`. */
const DIST = process.env.MEDUSA_VITE_DIST ?? join(REPOSITORY, 'dist');
/** Set to test a Vite of the project's own: the folder of the package. */
const VITE = process.env.PROJECT_VITE;
const START_LIMIT_MS = 60_000;

export type Files = Record<string, string>;

export interface RunnerProjectOptions {
  files?: Files;
  compilerOptions?: object;
}

/**
 * A project that two processes load, once for all tests of a file: one as the app does (runner, real module
 * channel, Vite behind it), one as stock Medusa does (ts-node with swc).
 */
export interface RunnerProject {
  root: string;
  runner: ProjectProcess;
  modules: AppModules;
  transformer: Transformer;
  write(files: Files): void;
  /** Writes the files, and expects that both processes make the same of the first one. */
  expectSame(files: Files): Promise<unknown>;
  /** Writes the files, and gives what the runner makes of the first one. */
  run<T>(files: Files): Promise<T>;
  runStock<T>(files: Files): Promise<T>;
  /** Writes the files as a save does: whoever asks for them next gets the new code. */
  save(files: Files): Promise<void>;
  /**
   * Saves the files and begins a reload of them, to be committed or rolled back.
   * @param reload `importers`: other files that are out of date by that.
   */
  beginReload(
    files: Files,
    reload?: { importers?: string[]; deleted?: string[]; isForced?: boolean },
  ): Promise<void>;
}

export function useRunnerProject(options: RunnerProjectOptions = {}): RunnerProject {
  const project = {} as RunnerProject;
  let home: string;
  let vite: ViteDevServer;
  let stock: ProjectProcess;

  beforeAll(async () => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'medusa-vite ü ')));
    const root = join(home, 'my shop');
    createProject(root, options);
    const { createViteServer } = await load<ViteServerModule>('cli/vite-server');
    const { Transformer } = await load<TransformerModule>('vite/transformer');
    const { AppModules } = await load<AppModulesModule>('host/processes/app-modules');
    vite = await createViteServer({ root, pollMs: undefined });
    const transformer = new Transformer(vite, root);
    const modules = new AppModules(transformer);
    const runner = new ProjectProcess({ script: 'runner-app.mjs', root, args: [DIST, root] });
    modules.serve(runner.pipe);
    stock = new ProjectProcess({ script: 'stock-app.cjs', root, args: [root] });
    Object.assign(project, { root, runner, modules, transformer });
  }, START_LIMIT_MS);

  afterAll(async () => {
    await Promise.all([project.runner?.end(), stock?.end(), vite?.close()]);
    rmSync(home, { recursive: true, force: true });
  });

  const first = (files: Files) => join(project.root, Object.keys(files)[0] ?? '');
  project.write = (files) => writeFiles(project.root, files);
  project.run = (files) => {
    project.write(files);
    return project.runner.ask('run', { file: first(files) });
  };
  project.runStock = (files) => {
    project.write(files);
    return stock.ask('run', { file: first(files) });
  };
  project.expectSame = async (files) => {
    const [theirs, ours] = await Promise.all([project.runStock(files), project.run(files)]);
    expect(ours).toEqual(theirs);
    // Key order counts too, and `toEqual` does not look at it.
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
    return ours;
  };
  project.save = async (files) => {
    project.write(files);
    const changed = Object.keys(files).map((file) => join(project.root, file));
    await project.transformer.onChange(
      changed.map((file) => ({ file, change: 'update' })),
      () => true,
    );
  };
  project.beginReload = async (files, { importers = [], deleted = [], isForced = false } = {}) => {
    const gone = deleted.map((file) => join(project.root, file));
    await project.transformer.onChange(
      gone.map((file) => ({ file, change: 'delete' })),
      () => true,
    );
    await project.save(files);
    const ids = Object.keys(files).map((file) => join(project.root, file));
    const modules: Record<string, FetchedModule> = {};
    for (const id of ids) {
      modules[id] = await project.transformer.transform(id);
    }
    const invalidated = [...ids, ...importers.map((file) => join(project.root, file)), ...gone];
    await project.runner.ask('begin', { invalidated, modules, deleted: gone, isForced });
  };
  return project;
}

type ViteServerModule = typeof import('../../../../src/cli/vite-server.ts');
type TransformerModule = typeof import('../../../../src/vite/transformer.ts');
type AppModulesModule = typeof import('../../../../src/host/processes/app-modules.ts');

async function load<T>(file: string): Promise<T> {
  return (await import(pathToFileURL(`${DIST}/src/${file}.js`).href)) as T;
}

/** Packages of the repository that projects have; those under test are written by the tests. */
const LINKED = ['@medusajs', '@swc', 'typescript', 'ts-node', 'tsconfig-paths', 'reflect-metadata'];

function createProject(root: string, { files, compilerOptions }: RunnerProjectOptions): void {
  const tsconfig = {
    compilerOptions: { ...COMPILER_OPTIONS, ...compilerOptions },
    'ts-node': { swc: true },
    include: ['**/*'],
    exclude: ['node_modules'],
  };
  writeFiles(root, {
    'package.json': JSON.stringify({
      name: 'my-shop',
      private: true,
      ...(VITE && { devDependencies: { vite: '*' } }),
    }),
    'tsconfig.json': JSON.stringify(tsconfig, undefined, 2),
    ...files,
  });
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  if (VITE) {
    symlinkSync(VITE, join(root, 'node_modules/vite'), 'junction');
  }
  for (const name of LINKED) {
    symlinkSync(
      join(REPOSITORY, 'node_modules', name),
      join(root, 'node_modules', name),
      'junction',
    );
  }
}

/** Those of examples/shop, which are those of Medusa's starter. */
const COMPILER_OPTIONS = {
  target: 'ES2022',
  module: 'Node16',
  moduleResolution: 'Node16',
  types: ['node'],
  rootDir: './',
  outDir: './.medusa/server',
  paths: { '@lib/*': ['./src/lib/*'] },
  strict: true,
  esModuleInterop: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  resolveJsonModule: true,
  jsx: 'react-jsx',
  skipLibCheck: true,
  inlineSourceMap: true,
};

export function writeFiles(root: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
