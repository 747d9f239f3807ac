const IMPORT = /__vite_ssr_import__\("([^"]+)"(?:, \{"importedNames":(\[[^\]]*\])\})?\)/g;

/**
 * Which exports of a module another one imports, read from what Vite has made of its imports.
 * @returns undefined if it may use any of them: a namespace import, a re-export, or no static import.
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
