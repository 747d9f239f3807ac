import { kindOf, resourceNameOf } from '../../project/layout.ts';
import type { Exports } from '../../shared/exports.ts';
import type { ApiFile } from './api-file.ts';

/** Other exported functions are not registered. (`framework/dist/http/types.js`, the same in 2.12.1 and 2.21.2) */
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']);

/**
 * What Medusa registers of a route file.
 * (`framework/dist/http/routes-loader.js`, 2.12.1 to 2.21.2)
 *
 * @param path relative to the project
 * @returns undefined if the file is not a route file
 */
export function readRoutes(path: string, exports: Exports): ApiFile | undefined {
  if (kindOf(path) !== 'route') {
    return undefined;
  }
  const matcher = matcherOf(path);
  const functions = new Map<string, (...args: never[]) => unknown>();
  for (const [key, value] of Object.entries(exports)) {
    if (METHODS.has(key) && typeof value === 'function') {
      functions.set(key, value as (...args: never[]) => unknown);
    }
  }
  const methods = [...functions.keys()];
  return {
    shape: JSON.stringify([
      methods.toSorted(),
      flag(exports, 'AUTHENTICATE'),
      flag(exports, 'CORS'),
    ]),
    functions,
    replace: (stable) => ({
      ...exports,
      ...Object.fromEntries(methods.map((method) => [method, stable(method)])),
    }),
    resources: methods.map((method) => `route ${method} ${matcher}`),
  };
}

/** `/store/brands/:id` for `src/api/store/brands/[id]/route.ts`. */
function matcherOf(path: string): string {
  const folders = resourceNameOf(path).replace(/\/?route$/, '');
  return `/${folders.replace(/\[([^\]/]+)\]/g, ':$1')}`;
}

/** What a route file says of itself, which is true unless it is said otherwise. */
function flag(exports: Exports, name: string): boolean {
  return name in exports ? !!exports[name] : true;
}
