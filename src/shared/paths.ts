import { sep } from 'node:path';

/**
 * Paths change their form only here. A `file` is absolute, real and posix, on Windows too (`C:/shop/src/a.ts`).
 * An `id` is a Vite module id, which is a file unless it has a query or is virtual.
 */

export function toPosix(path: string): string {
  return path.replaceAll('\\', '/');
}

/** The file as Node spells it on this system. */
export function toNative(file: string, separator: string = sep): string {
  return separator === '/' ? file : file.replaceAll('/', separator);
}

export function isAbsoluteFile(file: string): boolean {
  return file.startsWith('/') || /^[A-Za-z]:\//.test(file);
}

export function fileOfId(id: string): string {
  return id.replace(/[?#].*$/, '');
}

/** `src/lib/a` for `src/lib/a.ts` as for `src/lib/a/index.ts`. */
export function stemOf(file: string): string {
  return file.replace(/(?:\/index)?\.[^./]+$/, '');
}

/** `src/api/x/route.ts` for a file of the project; other files keep their absolute path. */
export function relativeToRoot(root: string, file: string): string {
  return isInside(root, file) ? file.slice(root.length + 1) : file;
}

export function isInside(directory: string, file: string): boolean {
  return file.startsWith(`${directory}/`);
}

const TYPESCRIPT = /\.[cm]?tsx?$/;
const DECLARATION = /\.d\.[cm]?ts$/;
const SCRIPT_OR_JSON = /\.(?:jsx?|mjs|json)$/;

export function isTypeScript(file: string): boolean {
  return TYPESCRIPT.test(file);
}

/**
 * Whether the runner evaluates a file; Node loads the others natively. The runner evaluates TypeScript wherever it is,
 * as a workspace link may lead out of the project, but no JavaScript outside of the project.
 */
export function isRunnerFile(root: string, file: string): boolean {
  const inside = isInside(root, file);
  const local = inside ? file.slice(root.length) : file;
  if (local.includes('/node_modules/') || DECLARATION.test(file)) {
    return false;
  }
  return isTypeScript(file) || (inside && SCRIPT_OR_JSON.test(file));
}
