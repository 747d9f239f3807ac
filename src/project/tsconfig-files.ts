import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { parseAst } from 'vite';
import { toPosix } from '../shared/paths.ts';

/**
 * The project's `tsconfig.json` and all files that it extends, directly or not: they decide how the sources compile.
 * Files of installed packages are left out, because these change with a lockfile.
 */
export function tsconfigFiles(root: string): string[] {
  const files = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) {
      return;
    }
    files.add(file);
    for (const base of basesOf(file)) {
      visit(base);
    }
  };
  visit(`${root}/tsconfig.json`);
  return [...files];
}

function basesOf(file: string): string[] {
  return readExtends(file).flatMap((specifier) => {
    const found = resolveBase(specifier, file);
    return found === undefined || found.includes('/node_modules/') ? [] : found;
  });
}

/** Parses JavaScript: JSON with comments and trailing commas is an expression of it. */
function readExtends(file: string): string[] {
  try {
    const [statement] = parseAst(`(${readFileSync(file, 'utf8')}\n)`).body as unknown as Node[];
    const property = statement?.expression?.properties?.find(
      ({ key }) => key?.value === 'extends' || key?.name === 'extends',
    );
    const { value } = property ?? {};
    const literals = (value as Node | undefined)?.elements ?? [value as Node | undefined];
    return literals.flatMap((literal) => (typeof literal?.value === 'string' ? literal.value : []));
  } catch {
    // Missing, or not finished: the compiler reports it.
    return [];
  }
}

/** The few properties of ESTree's nodes that are read here. */
interface Node {
  expression?: Node;
  properties?: Node[];
  elements?: Node[];
  key?: { value?: unknown; name?: string };
  value?: unknown;
}

/** As TypeScript does: by path, with or without `.json`, or from a package. */
function resolveBase(specifier: string, from: string): string | undefined {
  const isPath = /^\.\.?(?:[\\/]|$)/.test(specifier) || isAbsolute(specifier);
  if (isPath) {
    const path = isAbsolute(specifier) ? specifier : join(dirname(from), specifier);
    const found = [path, `${path}.json`].find(isFile);
    // A missing file is watched too.
    return toPosix(found ?? (path.endsWith('.json') ? path : `${path}.json`));
  }
  const require = createRequire(from);
  for (const candidate of [specifier, `${specifier}.json`, `${specifier}/tsconfig.json`]) {
    try {
      const found = require.resolve(candidate);
      if (found.endsWith('.json')) {
        return toPosix(realpathSync.native(found));
      }
    } catch {
      // The next one.
    }
  }
  return undefined;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
