import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ChannelReply, ChannelRequest } from '../../protocol/channel.ts';
import { fileOfId, isAbsoluteFile, isRunnerFile, toPosix } from '../../shared/paths.ts';
import { resolveNatively } from './native/common-js.ts';

/** `external`: a builtin module, or a package or file that Node loads, as it was written. */
export type Target = { id: string; external?: undefined } | { external: string; id?: undefined };

export interface ModuleResolutionOptions {
  root: string;
  channel: { request(request: ChannelRequest): ChannelReply };
  /** Whether the runner has this module, or code for it. */
  has(id: string): boolean;
  /** The module as Node knows it, from whose folder packages are found. */
  moduleOf(importer: string): NodeJS.Module;
}

/** Finds what an import names. Whatever is not the project's own is found as Node's `require` finds it. */
export class ModuleResolution {
  readonly #options: ModuleResolutionOptions;
  /** Imports that lead into `node_modules`, by folder and specifier: where, only another start can change. */
  readonly #packaged = new Map<string, Target>();

  constructor(options: ModuleResolutionOptions) {
    this.#options = options;
  }

  /** Vite has already resolved static imports to URLs; only computed specifiers arrive as written. */
  resolve(specifier: string, importer: string): Target {
    if (specifier.startsWith('/@fs/')) {
      const path = specifier.slice('/@fs'.length);
      return this.#targetOf(/^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path);
    }
    if (specifier.startsWith('/@id/')) {
      return { id: specifier.slice('/@id/'.length).replace('__x00__', '\0') };
    }
    if (isBuiltin(specifier)) {
      return { external: specifier };
    }
    const path = specifier.startsWith('file:') ? toPosix(fileURLToPath(specifier)) : specifier;
    if (path.startsWith('.') || isAbsoluteFile(toPosix(path))) {
      return this.#resolvePath(toPosix(path), importer);
    }
    const key = `${this.#options.moduleOf(importer).path}\0${path}`;
    const packaged = this.#packaged.get(key);
    if (packaged) {
      return packaged;
    }
    const native = this.tryNatively(path, importer);
    if (native !== undefined) {
      if (this.#isRunnerFile(native)) {
        return { id: native };
      }
      const target = { external: path };
      if (native.includes('/node_modules/')) {
        this.#packaged.set(key, target);
      }
      return target;
    }
    const id = this.#askHost(path, importer);
    return id === undefined || !this.#isRunnerFile(fileOfId(id)) ? { external: path } : { id };
  }

  /** The file, or name of a builtin, that `require()` means. @throws what Node's `require` throws. */
  resolveRequired(specifier: string, importer: string): string {
    try {
      return resolveNatively(specifier, this.#options.moduleOf(importer));
    } catch (error) {
      // An alias of tsconfig `paths`, or a specifier that only Vite understands.
      const id = this.#askHost(specifier, importer);
      if (id === undefined) {
        throw error;
      }
      return id;
    }
  }

  #resolvePath(path: string, importer: string): Target {
    const { root, has } = this.#options;
    if (path.startsWith('/') && !path.startsWith(`${root}/`) && has(root + path)) {
      return this.#targetOf(root + path);
    }
    if (has(path)) {
      return this.#targetOf(path);
    }
    // Vite may not have heard yet of a file that has just come.
    const id = this.#askHost(path, importer) ?? this.tryNatively(path, importer);
    // What is missing is left to Node, for its error.
    return id === undefined ? { external: path } : this.#targetOf(id);
  }

  #targetOf(id: string): Target {
    const file = fileOfId(id);
    return isAbsoluteFile(file) && !this.#isRunnerFile(file) ? { external: file } : { id };
  }

  tryNatively(specifier: string, importer: string): string | undefined {
    try {
      return resolveNatively(specifier, this.#options.moduleOf(importer));
    } catch {
      return undefined;
    }
  }

  #askHost(specifier: string, importer: string): string | undefined {
    const reply = this.#options.channel.request({ type: 'resolve', specifier, importer });
    return reply.type === 'resolved' && reply.id !== null ? reply.id : undefined;
  }

  #isRunnerFile(file: string): boolean {
    return isRunnerFile(this.#options.root, file);
  }
}
