import { createRequire } from 'node:module';
import { join } from 'node:path';
import { RoutesReloader } from '../../../../src/app/reloaders/routes.ts';
import { SKIP_FILE } from '../../../../src/medusa/boot/file-config.ts';
import { ApiRouter } from '../../../../src/medusa/http/api-router.ts';
import { REPOSITORY } from '../../../e2e/support/repository.ts';
import { fakePackages } from './fake-packages.ts';
import { type Exports, type MemoryApp, project, ROOT } from './memory-app.ts';
import type { Files } from './memory-host.ts';

type Handler = (...args: unknown[]) => unknown;
interface Router {
  (request: object, response: object, next: (error?: unknown) => void): void;
  use(...handlers: unknown[]): void;
  stack: { name: string }[];
  [method: string]: unknown;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];
const express = createRequire(join(REPOSITORY, 'node_modules/@medusajs/framework/package.json'))(
  'express',
) as { Router(): Router };

/** An API of a project in memory: our router and reloader, Medusa's Express, and the relevant part of its loader. */
export interface ApiApp extends MemoryApp {
  api: ApiRouter;
  /** The layers of Medusa's Express app. */
  express: Router;
  /** How often the whole API was loaded. */
  builds: number;
  /** @returns the response of a handler, or `404`, or the message of an unhandled error */
  request(method: string, url: string): Promise<unknown>;
}

export interface ApiAppOptions {
  /** Prepares the Express app before Medusa's loaders add the API. */
  before?(app: Router): void;
  /** @default true; an app for work in the background has none */
  hasApi?: boolean;
}

export async function apiProject(files: Files, options: ApiAppOptions = {}): Promise<ApiApp> {
  /** As in `framework/dist/http/router.js`: middlewares first, then routes, then the error handler. */
  class ApiLoader {
    readonly #router: Router;
    constructor({ app: router }: { app: Router }) {
      this.#router = router;
    }
    async load(): Promise<void> {
      app.builds++;
      const loaded: [path: string, exports: Exports][] = [];
      for (const path of app.host.paths.filter(isOfApi)) {
        loaded.push([path, await app.load(path)]);
      }
      const served = loaded.filter(([, exports]) => !exports[SKIP_FILE]);
      const { routes = [], errorHandler } = Object(
        served.find(([path]) => path.endsWith('/middlewares.ts'))?.[1].default,
      ) as { routes?: { matcher: string; middlewares: Handler[] }[]; errorHandler?: Handler };
      for (const { matcher, middlewares } of routes) {
        this.#router.use(matcher, ...middlewares);
      }
      for (const [path, exports] of served) {
        for (const method of METHODS.filter((name) => typeof exports[name] === 'function')) {
          const url = path.slice('src/api'.length, -'/route.ts'.length) || '/';
          (this.#router[method.toLowerCase()] as Handler)(url, exports[method]);
        }
      }
      if (errorHandler) {
        this.#router.use(errorHandler);
      }
    }
  }
  const exports: Record<string, unknown> = { ApiLoader };
  const api = new ApiRouter(fakePackages({ '@medusajs/framework/dist/http/router.js': exports }));
  const router = express.Router();
  const base = await project(files, { reloaders: [new RoutesReloader(ROOT, api)] });
  const app: ApiApp = Object.assign(base, {
    api,
    express: router,
    builds: 0,
    request: (method: string, url: string) =>
      new Promise((resolve) => {
        const response = { send: resolve };
        router({ method, url }, response, (error) =>
          resolve(error === undefined ? 404 : error instanceof Error ? error.message : error),
        );
      }),
  });
  options.before?.(router);
  if (options.hasApi ?? true) {
    await new (exports.ApiLoader as typeof ApiLoader)({ app: router }).load();
  }
  app.takeEvaluated();
  return app;
}

function isOfApi(path: string): boolean {
  return /^src\/api\/(?:.*\/)?(?:route|middlewares)\.ts$/.test(path);
}
