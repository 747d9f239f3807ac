import type { ApiFile, Exports } from './api-file.ts';

const ROUTE_FILE = /^src\/api\/(?:(.*)\/)?route\.[jt]s$/;
/** As Medusa's `HTTP_METHODS`; other exported functions are not registered. */
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']);

/** @returns undefined if the file is not a route file. */
export function readRoutes(path: string, exports: Exports): ApiFile | undefined {
  const match = ROUTE_FILE.exec(path);
  if (!match || path.split('/').some((segment) => segment.startsWith('_'))) {
    return undefined;
  }
  const matcher = `/${(match[1] ?? '').replace(/\[([^\]/]+)\]/g, ':$1')}`;
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

function flag(exports: Exports, name: string): boolean {
  return name in exports ? !!exports[name] : true;
}
