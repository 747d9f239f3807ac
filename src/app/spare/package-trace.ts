import { Module } from 'node:module';
import { isFileOfMedusa } from '../../medusa/packages.ts';
import { toPosix } from '../../shared/paths.ts';

interface Loader {
  _cache: Record<string, NodeJS.Module>;
}
const loader = Module as unknown as Loader;

/**
 * Notes, in order, the files of packages that Medusa's loaders and the project ask for, even those that are loaded
 * already. Files that other packages ask for are left out: they follow from those.
 */
export class PackageTrace {
  readonly #files: Set<string> = new Set();
  readonly #cache: Loader['_cache'] = loader._cache;
  /** How many packages are being loaded, one inside the other. */
  #depth = 0;

  start(): void {
    // Node looks for each file here first, whether it is loaded already or not.
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

  /** Loads a package; the files that it asks for are not noted. */
  insidePackage<T>(load: () => T): T {
    this.#depth++;
    try {
      return load();
    } finally {
      this.#depth--;
    }
  }

  /** Evaluates a file of the project, even if a package has asked for it; the files that it asks for are noted. */
  insideProject<T>(evaluate: () => T): T {
    const depth = this.#depth;
    this.#depth = 0;
    try {
      return evaluate();
    } finally {
      this.#depth = depth;
    }
  }

  get files(): string[] {
    return [...this.#files];
  }
}

export function isInPackage(filename: string): boolean {
  return toPosix(filename).includes('/node_modules/');
}

/**
 * @returns the loaded files that import Medusa, and that none of the asked ones imports, both directly or not. Files
 * that do not import Medusa cannot have registered anything with it.
 */
export function findUnasked(loaded: string[], asked: string[]): string[] {
  const wanted = reach(asked);
  return loaded.filter((file) => !wanted.has(file) && [...reach([file])].some(isFileOfMedusa));
}

/** The files, and all that they import. */
function reach(files: string[]): Set<string> {
  const modules = new Set(files.flatMap((file) => loader._cache[file] ?? []));
  // The loop also comes to the modules that it adds.
  for (const { children } of modules) {
    for (const child of children) {
      modules.add(child);
    }
  }
  return new Set([...modules].map(({ filename }) => filename));
}
