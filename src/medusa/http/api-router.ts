import type { MedusaPackages } from '../packages.ts';

type Next = (error?: unknown) => void;
type Handler = (request: unknown, response: unknown, next: Next) => void;
type ErrorHandler = (error: unknown, request: unknown, response: unknown, next: Next) => void;

/** The part of an Express router that is used here. */
interface Router extends Handler {
  stack: { handle: Handler | ErrorHandler }[];
}
interface App {
  use(handler: Handler | ErrorHandler): void;
}
interface ApiLoaderOptions {
  app: App | Router;
  [option: string]: unknown;
}
type ApiLoaderClass = new (options: ApiLoaderOptions) => { load(): Promise<void> };

/**
 * Puts the whole API on a router of its own, behind one layer of the app that never moves. A new router is
 * built beside the old one and the pointer is swapped, so no request sees half an API. The app's own stack
 * is never touched: the admin and `/health` stand among and after the API's layers.
 * (`framework/dist/http/router.js`, class `ApiLoader`, 2.12.1 to 2.21.2)
 */
export class ApiRouter {
  readonly #createRouter: () => Router;
  readonly #loader: ApiLoaderClass;
  #options: ApiLoaderOptions | undefined;
  #current: Router | undefined;

  constructor(packages: MedusaPackages) {
    const path = 'dist/http/router.js';
    const exports = packages.require('@medusajs/framework', path);
    packages.assertReplaceable(exports, 'ApiLoader', `@medusajs/framework/${path}`);
    const express = packages.requireFrom('@medusajs/framework', 'express') as {
      Router(): Router;
    };
    this.#createRouter = () => express.Router();
    this.#loader = exports.ApiLoader as ApiLoaderClass;
    // A proxy, not a subclass: instrumentation sets statics on the class, which the original reads.
    exports.ApiLoader = new Proxy(this.#loader, {
      construct: (target, [options]: [ApiLoaderOptions]) =>
        Reflect.construct(target, [this.#mount(options)]),
    });
  }

  /** False in an app that has no API, such as one with `workerMode: 'worker'`. */
  get isLoaded(): boolean {
    return this.#options !== undefined;
  }

  /** Loads every route and middleware again, onto a fresh router. Returns how to put it in place. */
  async build(): Promise<() => void> {
    if (!this.#options) {
      throw new Error('Expected the API to be loaded before it is rebuilt; this is our bug.');
    }
    const router = this.#createRouter();
    await new this.#loader({ ...this.#options, app: router }).load();
    return () => {
      this.#current = router;
    };
  }

  #mount(options: ApiLoaderOptions): ApiLoaderOptions {
    const app = options.app as App;
    const router = this.#createRouter();
    this.#options = options;
    this.#current = router;

    const handled = new WeakSet<object>();
    const medusaApi: Handler = (request, response, next) => {
      this.#current?.(request, response, (error) => {
        if (error !== undefined && error !== null) {
          handled.add(request as object);
        }
        next(error);
      });
    };
    // Medusa looks into nested stacks to name a route for tracing.
    Object.defineProperty(medusaApi, 'stack', { get: () => this.#current?.stack });
    app.use(medusaApi);

    // Errors of layers before the API (session, cookies) must reach Medusa's error handler too.
    const medusaApiErrors: ErrorHandler = (error, request, response, next) => {
      if (handled.has(request as object)) {
        next(error);
        return;
      }
      const handlers = (this.#current?.stack ?? [])
        .map((layer) => layer.handle)
        .filter((handle): handle is ErrorHandler => handle.length === 4);
      runErrorHandlers(handlers, error, request, response, next);
    };
    app.use(medusaApiErrors);
    return { ...options, app: router };
  }
}

function runErrorHandlers(
  [handler, ...rest]: ErrorHandler[],
  error: unknown,
  request: unknown,
  response: unknown,
  next: Next,
): void {
  if (!handler) {
    next(error);
    return;
  }
  handler(error, request, response, (following) =>
    runErrorHandlers(rest, following ?? error, request, response, next),
  );
}
