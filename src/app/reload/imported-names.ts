const IMPORT = /__vite_ssr_import__\("([^"]+)"(?:, \{"importedNames":(\[[^\]]*\])\})?\)/g;

/**
 * The names that a module imports from another one, read from the code that Vite makes of imports.
 * @returns undefined if the module may use any export: a namespace import, a re-export, or no static import.
 */
export function importedNames(code: string, imported: string, root: string): string[] | undefined {
  const names: string[] = [];
  let isImported = false;
  for (const [, url = '', list] of code.matchAll(IMPORT)) {
    if (url !== imported && root + url !== imported && url !== `/@fs${imported}`) {
      continue;
    }
    if (list === undefined) {
      return undefined;
    }
    isImported = true;
    names.push(...(JSON.parse(list) as string[]));
  }
  return isImported ? names : undefined;
}
