import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { findPackage } from '../src/project/medusa-version.ts';
import { EXTENSIONS } from '../src/shared/extensions.ts';
import { MedusaViteError } from '../src/shared/failure.ts';
import { isTypeScript, toPosix } from '../src/shared/paths.ts';
import { VITE_ENVIRONMENT } from '../src/vite/vite-environment.ts';
import { findProject } from './find-project.ts';

/**
 * Does what Vite 8 does by itself and Vite 7.3 does not: the `paths` and the decorator metadata of a tsconfig,
 * both with the packages that stock Medusa uses for them. This plugin goes with the support of Vite 7.
 */
export function vite7(): Plugin {
  let root = '';
  let configs: TsconfigPaths | undefined;
  return {
    name: 'medusa-vite:vite-7',
    enforce: 'pre',
    apply: (_config, { command, isPreview }) => command === 'serve' && !isPreview,
    applyToEnvironment: ({ name }) => name === VITE_ENVIRONMENT,
    configResolved(config) {
      root = findProject(config);
      configs = this.meta.viteVersion.startsWith('7.') ? new TsconfigPaths(root) : undefined;
    },
    watchChange(file) {
      if (file.endsWith('.json')) {
        configs?.clear();
      }
    },
    async resolveId(source, importer, options) {
      const found = importer === undefined ? undefined : configs?.of(importer)?.match(source);
      return found && this.resolve(found, importer, { ...options, skipSelf: true });
    },
    async transform(code, id) {
      const file = id.replace(/[?#].*$/, '');
      if (!configs || !isTypeScript(file) || !code.includes('@')) {
        return undefined;
      }
      const options = configs.of(file)?.compilerOptions ?? {};
      return options.emitDecoratorMetadata
        ? withMetadata({ code, file, options, root })
        : undefined;
    },
  };
}

interface CompilerOptions {
  target?: string;
  emitDecoratorMetadata?: boolean;
  useDefineForClassFields?: boolean;
  baseUrl?: string;
  paths?: Record<string, string[]>;
}

interface Config {
  compilerOptions: CompilerOptions;
  match(specifier: string): string | undefined;
}

/** The used part of the package `tsconfig-paths` 4.2, on which Medusa's framework depends. */
interface Library {
  createMatchPath(
    baseUrl: string,
    paths: Record<string, string[]>,
    mainFields: undefined,
    addMatchAll: boolean,
  ): (
    specifier: string,
    readJson: undefined,
    fileExists: undefined,
    extensions: readonly string[],
  ) => string | undefined;
  loadConfig(directory: string):
    | {
        resultType: 'success';
        absoluteBaseUrl: string;
        configFileAbsolutePath: string;
        paths: Record<string, string[]>;
        /** Whether there is a `baseUrl`: every file below it is then found by its path. */
        addMatchAll: boolean;
      }
    | { resultType: 'failed' };
}
interface Loader {
  loadTsconfig(file: string): { compilerOptions?: CompilerOptions } | undefined;
}

/** The tsconfig of each folder: the nearest one above. */
class TsconfigPaths {
  readonly #root: string;
  readonly #configs = new Map<string, Config | undefined>();

  constructor(root: string) {
    this.#root = root;
  }

  of(file: string): Config | undefined {
    const folder = dirname(file.replace(/[?#].*$/, ''));
    if (!this.#configs.has(folder)) {
      this.#configs.set(folder, existsSync(folder) ? this.#load(folder) : undefined);
    }
    return this.#configs.get(folder);
  }

  clear(): void {
    this.#configs.clear();
  }

  #load(folder: string): Config | undefined {
    const require = requireFrom(this.#root, '@medusajs/framework');
    const library = require('tsconfig-paths') as Library;
    const loader = require('tsconfig-paths/lib/tsconfig-loader') as Loader;
    const loaded = library.loadConfig(folder);
    if (loaded.resultType === 'failed') {
      return undefined;
    }
    const { absoluteBaseUrl, configFileAbsolutePath, paths, addMatchAll } = loaded;
    const match = library.createMatchPath(absoluteBaseUrl, paths, undefined, addMatchAll);
    return {
      compilerOptions: loader.loadTsconfig(configFileAbsolutePath)?.compilerOptions ?? {},
      match(specifier) {
        const isPath = /^(?:\.{0,2}\/|\0|[A-Za-z]:)/.test(specifier);
        const found = isPath ? undefined : match(specifier, undefined, undefined, EXTENSIONS);
        return found && toPosix(found);
      },
    };
  }
}

/** Compiles with swc, which ts-node uses in Medusa's own starter: esbuild emits no metadata. */
async function withMetadata({
  code,
  file,
  options,
  root,
}: {
  code: string;
  file: string;
  options: CompilerOptions;
  root: string;
}): Promise<{ code: string; map: string | undefined } | undefined> {
  // A decorator follows a space or a bracket, unlike the `@` of a package's name. A false match does no harm.
  if (!/(?:^|[\s(,;{}])@[\w$(]/m.test(code)) {
    return undefined;
  }
  const { transform } = loadSwc(root);
  const compiled = transform(code, {
    filename: file,
    swcrc: false,
    configFile: false,
    sourceMaps: true,
    jsc: {
      target: 'es2022',
      // esbuild comes after this, and gives a class expression another name than the variable that holds it.
      keepClassNames: false,
      parser: { syntax: 'typescript', decorators: true, tsx: file.endsWith('x') },
      transform: {
        legacyDecorator: true,
        decoratorMetadata: true,
        useDefineForClassFields:
          options.useDefineForClassFields ?? /^es(?:202[2-9]|next)$/i.test(options.target ?? ''),
      },
    },
  });
  // Code that does not parse is left to esbuild, whose error has a position.
  return compiled.catch(() => undefined);
}

interface Swc {
  transform(code: string, options: object): Promise<{ code: string; map: string | undefined }>;
}

/** @throws MedusaViteError */
function loadSwc(root: string): Swc {
  try {
    return requireFrom(root, '@medusajs/medusa')('@swc/core') as Swc;
  } catch (cause) {
    throw new MedusaViteError(
      '`emitDecoratorMetadata` takes the package `@swc/core` on Vite 7, and it is not installed.',
      {
        code: 'NO_SWC',
        hint: 'Run `npm install --save-dev @swc/core`, or use Vite 8.',
        cause,
      },
    );
  }
}

/** Requires as the package does: pnpm hides the dependencies of a package from the project. */
function requireFrom(root: string, name: string): NodeJS.Require {
  const require = createRequire(join(root, 'package.json'));
  const found = findPackage(require, name);
  return found ? createRequire(join(found.folder, 'package.json')) : require;
}
