import vm from 'node:vm';
import { fileOfId, isTypeScript } from '../../shared/paths.ts';

export type Run = (...scope: unknown[]) => unknown;

/** What a module's code is called with; the first six are the names that Vite's transform gives. */
const PARAMETERS = [
  '__vite_ssr_import__',
  '__vite_ssr_dynamic_import__',
  '__vite_ssr_exports__',
  '__vite_ssr_exportAll__',
  '__vite_ssr_exportName__',
  '__vite_ssr_import_meta__',
  'require',
  'exports',
  'module',
  '__filename',
  '__dirname',
].join(',');

const AWAITED_IMPORT = /^(const __vite_ssr_import_\d+__ = )await (?=__vite_ssr_import__\()/gm;

/** A decorated class makes the transform import helpers: that alone is no ES module. */
const ES_SYNTAX =
  /^(?:__vite_ssr_export(?:Name|All)__\(|const __vite_ssr_import_\d+__ = await __vite_ssr_import__\((?!"\/@id\/__x00__@oxc-project))/m;

/** Whether the source had `import` or `export`; without, it is CommonJS. */
export function isEsModule(code: string): boolean {
  return ES_SYNTAX.test(code);
}

export function compile(id: string, code: string, mode: 'sync' | 'async'): Run | 'top-level-await' {
  // Blanks keep the columns, so that source maps stay right.
  const body = mode === 'sync' ? code.replace(AWAITED_IMPORT, '$1      ') : code;
  const source = body.startsWith('#!') ? `//${body.slice(2)}` : body;
  // The inner block lets an ES module declare its own `require` or `__dirname`. A plain script says by
  // itself whether it is strict, which it can only do outside of a block.
  const isScript = !isEsModule(code) && !isTypeScript(fileOfId(id));
  const prefix = `(${mode === 'async' ? 'async ' : ''}function(${PARAMETERS}){${isScript ? '' : "'use strict';{"}`;
  try {
    return vm.runInThisContext(`${prefix}${source}\n}${isScript ? '' : '}'})`, {
      filename: fileOfId(id),
      columnOffset: -prefix.length,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }) as Run;
  } catch (error) {
    if (mode === 'sync' && error instanceof SyntaxError && /\bawait\b/.test(source)) {
      compile(id, code, 'async');
      return 'top-level-await';
    }
    throw error;
  }
}
