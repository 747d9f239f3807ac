import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compareVersions, findPackage, findSupportedMedusa } from '../project/medusa-version.ts';
import { MedusaViteError } from '../shared/failure.ts';
import { toPosix } from '../shared/paths.ts';

type PackageName =
  | '@medusajs/medusa'
  | '@medusajs/framework'
  | '@medusajs/utils'
  | '@medusajs/modules-sdk'
  | '@medusajs/query'
  | '@medusajs/orchestration'
  | '@medusajs/workflows-sdk';

const FRAMEWORK_PACKAGES = [
  '@medusajs/utils',
  '@medusajs/modules-sdk',
  '@medusajs/orchestration',
  '@medusajs/workflows-sdk',
] as const;

/** Whether a file is of Medusa, or of its ORM: who has asked for neither has registered nothing. */
export function isFileOfMedusa(file: string): boolean {
  return /\/node_modules\/@(?:medusajs|mikro-orm)\//.test(toPosix(file));
}

/**
 * Finds Medusa's packages as Medusa itself does, and reaches files in them that `exports` hides. Every
 * internal that is taken from here is checked for its shape, so that another Medusa is an error at boot
 * and not a riddle later.
 */
export class MedusaPackages {
  readonly version: string;
  readonly #folders = new Map<PackageName, string>();

  /** @throws MedusaViteError if Medusa is missing or too old. */
  constructor(root: string) {
    const fromProject = createRequire(join(root, 'package.json'));
    const medusa = findSupportedMedusa(root);
    this.version = medusa.version;
    this.#folders.set('@medusajs/medusa', medusa.folder);
    // Each is looked up from the package that depends on it: pnpm hides it from the project.
    const fromMedusa = createRequire(join(medusa.folder, 'package.json'));
    const framework =
      findPackage(fromMedusa, '@medusajs/framework') ??
      findPackage(fromProject, '@medusajs/framework');
    const fromFramework = createRequire(join(framework?.folder ?? medusa.folder, 'package.json'));
    if (framework) {
      this.#folders.set('@medusajs/framework', framework.folder);
    }
    for (const name of FRAMEWORK_PACKAGES) {
      const found = findPackage(fromFramework, name);
      if (found) {
        this.#folders.set(name, found.folder);
      }
    }
    // A part of `@medusajs/modules-sdk` in 2.12.1, a package of its own in 2.21.2.
    const modulesSdk = this.#folders.get('@medusajs/modules-sdk') ?? medusa.folder;
    const query = findPackage(createRequire(join(modulesSdk, 'package.json')), '@medusajs/query');
    if (query) {
      this.#folders.set('@medusajs/query', query.folder);
    }
  }

  has(name: PackageName): boolean {
    return this.#folders.has(name);
  }

  /** @throws MedusaViteError if it is not installed */
  folderOf(name: PackageName): string {
    const folder = this.#folders.get(name);
    if (!folder) {
      throw this.unexpected(name);
    }
    return folder;
  }

  /** A CommonJS file inside of one of Medusa's packages, e.g. `dist/http/router.js`. */
  require(name: PackageName, path: string): Record<string, unknown> {
    const folder = this.#folders.get(name);
    const file = folder && join(folder, path);
    try {
      if (!file) {
        throw new Error(`${name} is not installed`);
      }
      return createRequire(file)(file) as Record<string, unknown>;
    } catch (cause) {
      throw this.unexpected(`${name}/${path}`, cause);
    }
  }

  /** A dependency of one of Medusa's packages, e.g. its `express`. */
  requireFrom(name: PackageName, specifier: string): unknown {
    return createRequire(join(this.folderOf(name), 'package.json'))(specifier);
  }

  /** The file that a dependency of one of Medusa's packages is. @returns undefined if it is not installed */
  tryResolveFrom(name: PackageName, specifier: string): string | undefined {
    try {
      const folder = this.#folders.get(name);
      return folder && createRequire(join(folder, 'package.json')).resolve(specifier);
    } catch {
      return undefined;
    }
  }

  /** A dependency of a package that Medusa depends on. @returns undefined if either is not installed */
  tryRequireThrough(name: string, specifier: string): unknown {
    const medusa = this.#folders.get('@medusajs/medusa') ?? '';
    const found = findPackage(createRequire(join(medusa, 'package.json')), name);
    try {
      return found && createRequire(join(found.folder, 'package.json'))(specifier);
    } catch {
      return undefined;
    }
  }

  /** @throws MedusaViteError unless the internal is a function that can be replaced. */
  assertReplaceable(exports: Record<string, unknown>, key: string, where: string): void {
    const descriptor = Object.getOwnPropertyDescriptor(exports, key);
    if (typeof exports[key] !== 'function' || !(descriptor?.writable || descriptor?.configurable)) {
      throw this.unexpected(`${where}#${key}`);
    }
  }

  /** @throws MedusaViteError unless the internal has all of these methods. */
  assertMethods(value: unknown, where: string, methods: readonly string[]): void {
    const missing = methods.find((method) => typeof Object(value)[method] !== 'function');
    if (missing !== undefined) {
      throw this.unexpected(`${where}.${missing}`);
    }
  }

  isAtLeast(version: string): boolean {
    return compareVersions(this.version, version) >= 0;
  }

  unexpected(what: string, cause?: unknown): MedusaViteError {
    return new MedusaViteError(
      `Medusa ${this.version} is not what medusa-vite expects: \`${what}\` is missing or has changed.`,
      {
        code: 'UNEXPECTED_MEDUSA',
        hint: 'Use `medusa develop` for now, and report this version to medusa-vite.',
        cause,
      },
    );
  }
}
