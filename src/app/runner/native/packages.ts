import { NeedsAwait } from '../top-level-await.ts';
import { requireNatively } from './common-js.ts';
import { importNatively, needsImport } from './interop.ts';

/**
 * Packages, as Node loads them. `require` comes first: it is what Medusa itself uses, so a package with two
 * formats stays one instance. `import()` is only for a package that cannot be required.
 */
export class Packages {
  /** Packages that only `import()` can load, once loaded. */
  readonly #imported = new Map<string, object>();

  /** @throws NeedsAwait if the package has to be imported first */
  load(specifier: string, from: NodeJS.Module): unknown {
    const key = `${from.path}\0${specifier}`;
    const imported = this.#imported.get(key);
    if (imported) {
      return imported;
    }
    try {
      return requireNatively(specifier, from);
    } catch (error) {
      if (!needsImport(error)) {
        throw error;
      }
      throw new NeedsAwait(specifier, async () => {
        this.#imported.set(key, await importNatively(specifier, from.filename));
      });
    }
  }
}
