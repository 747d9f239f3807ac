import { Module } from 'node:module';
import { isFileOfMedusa } from '../../medusa/packages.ts';
import { toPosix } from '../../shared/paths.ts';

interface Loader {
  _cache: Record<string, NodeJS.Module>;
}
const loader = Module as unknown as Loader;

/**
 * Notes, in their order, the files of packages that Medusa's loaders and the project ask for, whether they are loaded
 * already or not. What other packages ask for on their own behalf is left out: it follows from those.
 */
export class PackageTrace {
  readonly #files: Set<string> = new Set();
  readonly #cache: Loader['_cache'] = loader._cache;
  /** How many packages are being loaded, one inside of the other. */
  #depth = 0;

  /** From now until `stop`. */
  start(): void {
    // Node looks each file up here before it loads it, also those that it has.
    loader._cache = new Proxy(this.#cache, {
      get: (cache, key) => {
        if (this.#depth === 0 && typeof key === 'string' && isInPackage(key)) {
          this.#files.add(key);
        }
        return Reflect.get(cache, key);
      },
    });
  }

  stop(): void {
    loader._cache = this.#cache;
  }

  /** Runs the top level of a package, which asks for others on its own behalf. */
  insidePackage<T>(load: () => T): T {
    this.#depth++;
    try {
      return load();
    } finally {
      this.#depth--;
    }
  }

  /** Runs code of the project, wherever it was asked for. */
  insideProject<T>(evaluate: () => T): T {
    const depth = this.#depth;
    this.#depth = 0;
    try {
      return evaluate();
    } finally {
      this.#depth = depth;
    }
  }

  /** What was asked for so far. */
  get files(): string[] {
    return [...this.#files];
  }
}

export function isInPackage(filename: string): boolean {
  return toPosix(filename).includes('/node_modules/');
}

/**
 * Of those that are loaded, the files that none of the given ones has asked for, however indirectly, and that
 * know Medusa: no others can have registered anything with it.
 */
export function findUnasked(loaded: string[], asked: string[]): string[] {
  const wanted = reach(asked);
  return loaded.filter((file) => !wanted.has(file) && [...reach([file])].some(isFileOfMedusa));
}

/** The files, and all that they have asked for. */
function reach(files: string[]): Set<string> {
  const cache = loader._cache;
  const reached = new Set<string>();
  const waiting = files.flatMap((file) => cache[file] ?? []);
  for (let module = waiting.pop(); module; module = waiting.pop()) {
    if (!reached.has(module.filename)) {
      reached.add(module.filename);
      waiting.push(...module.children);
    }
  }
  return reached;
}
