import { isBuiltin } from 'node:module';
import { pathToFileURL } from 'node:url';
import { toNative } from '../../shared/paths.ts';

export interface ImportMetaOptions {
  module: NodeJS.Module;
  dirname: string;
  /** The file, or name of a builtin, that a specifier means. */
  resolve(specifier: string): string;
  createHot(): unknown;
}

/** `import.meta` of a module. Code that compiles to CommonJS may not say that, and finds `hot` on `module`. */
export function createImportMeta({
  module,
  dirname,
  resolve,
  createHot,
}: ImportMetaOptions): object {
  const { filename } = module;
  let url: string | undefined;
  const meta = {
    get url() {
      // Few modules ask, and for a thousand modules it would be a twentieth of their evaluation.
      url ??= pathToFileURL(filename).href;
      return url;
    },
    filename,
    dirname,
    resolve: (specifier: string) => {
      const file = resolve(specifier);
      return isBuiltin(file) ? file : pathToFileURL(toNative(file)).href;
    },
  };
  let hot: unknown;
  const property = {
    enumerable: true,
    get: () => {
      hot ??= createHot();
      return hot;
    },
  };
  Object.defineProperty(meta, 'hot', property);
  Object.defineProperty(module, 'hot', property);
  return meta;
}
