import { SKIP_FILE } from '../../medusa/boot/file-config.ts';
import type { ApiFile } from '../../medusa/http/api-file.ts';
import type { ApiRouter } from '../../medusa/http/api-router.ts';
import { readMiddlewares } from '../../medusa/http/middleware-file.ts';
import { readRoutes } from '../../medusa/http/route-file.ts';
import type { ReloadFile } from '../../protocol/messages.ts';
import type { Exports } from '../../shared/exports.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import { createStableFunction, type StableFunction } from '../reload/stable-function.ts';
import type { ReloadContext, ResourceReload, ResourceReloader } from './resource-reloader.ts';

interface Registered {
  shape: string;
  functions: Map<string, StableFunction>;
  resources: string[];
}

/**
 * Routes, middlewares and validators. Medusa gets stable functions, so a changed body goes live by swapping the
 * function that they call. A change of the shape (files, methods, matchers, flags) rebuilds the API beside the old one.
 */
export class RoutesReloader implements ResourceReloader {
  readonly name = 'routes';
  readonly isDeferring = true;
  readonly #root: string;
  readonly #api: ApiRouter;
  #registered = new Map<string, Registered>();
  /** Filled by a rebuild; becomes `#registered` when the rebuild is committed. */
  #rebuilding: Map<string, Registered> | undefined;

  constructor(root: string, api: ApiRouter) {
    this.#root = root;
    this.#api = api;
  }

  /** Called for every file that Medusa's loaders import; leaves files alone that are not part of the API. */
  decorate(file: string, exports: Exports): Exports {
    const read = this.#read(file, exports);
    if (!read) {
      return exports;
    }
    // Always new functions: while the API is rebuilt, those of the version that serves stay as they are.
    const functions = new Map(
      [...read.functions].map(([key, current]) => [key, createStableFunction(current)]),
    );
    const { shape, resources } = read;
    (this.#rebuilding ?? this.#registered).set(file, { shape, functions, resources });
    return read.replace((key) => functions.get(key)?.call);
  }

  async prepare(files: ReloadFile[], context: ReloadContext): Promise<ResourceReload> {
    const swaps: (() => void)[] = [];
    const resources: string[] = [];
    if (!this.#api.isLoaded) {
      return { resources, commit() {} };
    }
    let needsRebuild = false;
    for (const { file, change } of files) {
      const known = this.#registered.get(file);
      if (change === 'delete') {
        needsRebuild = true;
        resources.push(...(known?.resources ?? []).map((resource) => `${resource} (removed)`));
        continue;
      }
      if (known && context.isDeferred(file)) {
        const read = (exports: Exports) => this.#read(file, exports)?.functions;
        swaps.push(() => defer(file, { known, read, context }));
        resources.push(...known.resources);
        continue;
      }
      const exports = await context.importFile(file);
      const isDisabled = context.isDisabled(file);
      const read = this.#read(file, isDisabled ? { ...exports, [SKIP_FILE]: true } : exports);
      resources.push(...(read?.resources ?? []));
      if (!read || read.shape !== known?.shape) {
        needsRebuild = true;
        continue;
      }
      for (const [key, stable] of known.functions) {
        const current = read.functions.get(key);
        if (current) {
          swaps.push(() => {
            stable.current = current;
          });
        }
      }
    }
    if (!needsRebuild) {
      return { resources, commit: () => run(swaps) };
    }
    return { resources, commit: await this.#rebuild() };
  }

  async #rebuild(): Promise<() => void> {
    const registered = new Map<string, Registered>();
    this.#rebuilding = registered;
    try {
      const swap = await this.#api.build();
      return () => {
        swap();
        this.#registered = registered;
      };
    } finally {
      this.#rebuilding = undefined;
    }
  }

  #read(file: string, exports: Exports): ApiFile | undefined {
    const path = relativeToRoot(this.#root, file);
    if (exports[SKIP_FILE]) {
      return { shape: 'disabled', functions: new Map(), replace: () => exports, resources: [] };
    }
    return readRoutes(path, exports) ?? readMiddlewares(path, exports);
  }
}

interface Deferral {
  known: Registered;
  /** The functions among the exports of the file. */
  read(exports: Exports): ApiFile['functions'] | undefined;
  context: ReloadContext;
}

/** Until the file is evaluated, a call of one of its functions evaluates it first. */
function defer(file: string, { known, read, context }: Deferral): void {
  const functionOf = (exports: Exports, key: string) =>
    read(exports)?.get(key) as StableFunction['current'];
  const waiting = [...known.functions].map(([key, stable]) => {
    const evaluating: StableFunction['current'] = async function (...args) {
      const exports = await context.importLater(file);
      return functionOf(exports, key).apply(this, args);
    };
    stable.current = evaluating;
    return { key, stable, evaluating };
  });
  context.defer(file, (exports) => {
    for (const { key, stable, evaluating } of waiting) {
      if (stable.current === evaluating) {
        stable.current = functionOf(exports, key);
      }
    }
  });
}

function run(swaps: (() => void)[]): void {
  for (const swap of swaps) {
    swap();
  }
}
