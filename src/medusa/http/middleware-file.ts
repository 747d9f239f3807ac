import { randomUUID } from 'node:crypto';
import { kindOf } from '../../project/layout.ts';
import type { Exports } from '../../shared/exports.ts';
import type { ApiFile } from './api-file.ts';

type AnyFunction = (...args: never[]) => unknown;
type MiddlewareRoute = Record<string, unknown>;

/**
 * What Medusa registers of `src/api/middlewares.ts`, the result of `defineMiddlewares`.
 * (`framework/dist/http/middleware-file-loader.js`, 2.12.1 to 2.21.2)
 *
 * @param path relative to the project
 * @returns undefined if the file is not the middleware file
 */
export function readMiddlewares(path: string, exports: Exports): ApiFile | undefined {
  if (kindOf(path) !== 'middlewares') {
    return undefined;
  }
  const config = exports.default instanceof Object ? (exports.default as MiddlewareRoute) : {};
  const routes = Array.isArray(config.routes) ? (config.routes as MiddlewareRoute[]) : [];
  const functions = new Map<string, AnyFunction>();
  const shape = routes.map((route, index) => {
    const middlewares = Array.isArray(route.middlewares) ? route.middlewares : [];
    for (const [position, middleware] of middlewares.entries()) {
      if (typeof middleware === 'function') {
        functions.set(`${index}.${position}`, middleware as AnyFunction);
      }
    }
    return describeRoute(route, middlewares.length);
  });
  if (typeof config.errorHandler === 'function') {
    functions.set('errorHandler', config.errorHandler as AnyFunction);
  }
  return {
    // By their number of parameters Express tells handlers of errors from others.
    shape: JSON.stringify([shape, [...functions].map(([key, { length }]) => [key, length === 4])]),
    functions,
    replace: (stable) => ({
      ...exports,
      default: {
        ...config,
        routes: routes.map((route, index) => ({
          ...route,
          ...(Array.isArray(route.middlewares) && {
            middlewares: route.middlewares.map(
              (middleware, position) => stable(`${index}.${position}`) ?? middleware,
            ),
          }),
        })),
        ...(functions.has('errorHandler') && { errorHandler: stable('errorHandler') }),
      },
    }),
    resources: ['middlewares'],
  };
}

function describeRoute(route: MiddlewareRoute, middlewares: number): unknown {
  const { matcher, method, methods, bodyParser, policies, additionalDataValidator } = route;
  return [
    String(matcher),
    method,
    methods,
    middlewares,
    bodyParser,
    policies,
    // Zod schemas cannot be compared: one is always registered anew.
    additionalDataValidator === undefined ? null : randomUUID(),
  ];
}
