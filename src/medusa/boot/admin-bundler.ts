import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire, Module } from 'node:module';
import { serialize } from 'node:v8';
import type { AdminRequest } from '../../protocol/admin.ts';
import { MedusaViteError } from '../../shared/failure.ts';
import type { MedusaPackages } from '../packages.ts';

export type AdminMiddleware = (request: IncomingMessage, response: ServerResponse) => void;
type Options = Record<string, unknown>;
type Develop = (options: Options) => Promise<AdminMiddleware>;
type AdminLoader = (options: { configModule: { admin?: Options } }) => Promise<unknown>;

const BUNDLER = '@medusajs/admin-bundler';

/**
 * Answers Medusa's admin loader in the bundler's place, which is then never loaded in the app: no Vite, no
 * Tailwind, no second of work at each restart. The loader itself stays Medusa's, and so do the options.
 * (`medusa/dist/loaders/admin.js`, the same in 2.12.1 and 2.21.2)
 */
export function replaceAdminBundler(
  packages: MedusaPackages,
  open: (request: AdminRequest) => AdminMiddleware,
): void {
  const bundler = packages.tryResolveFrom('@medusajs/medusa', BUNDLER);
  if (bundler === undefined) {
    // Then Medusa says so, unless its admin is switched off.
    return;
  }
  let isReplaced = false;
  const develop: Develop = async (options) => {
    isReplaced = true;
    return open(toRequest(bundler, options));
  };
  // The loader says `import()`; Node gives CommonJS from this cache there too.
  const { _cache: cache } = Module as unknown as { _cache: Record<string, Module> };
  const module = Object.assign(new Module(bundler), { filename: bundler, loaded: true });
  module.exports = { develop };
  cache[bundler] = module;

  const path = 'dist/loaders/admin.js';
  const exports = packages.require('@medusajs/medusa', path);
  packages.assertReplaceable(exports, 'default', `@medusajs/medusa/${path}`);
  const load = exports.default as AdminLoader;
  exports.default = async (options: Parameters<AdminLoader>[0]): Promise<unknown> => {
    const result = await load(options);
    if (!isReplaced && !options.configModule.admin?.disable) {
      throw packages.unexpected(`@medusajs/medusa/${path}: the call of \`develop\``);
    }
    return result;
  };
}

/** Runs the bundler as Medusa does, on an app of its own. @throws what the bundler printed, if it fails */
export async function developAdmin(bundler: string, options: Options): Promise<RequestListener> {
  const require = createRequire(bundler);
  const { develop } = require(bundler) as { develop?: Develop };
  if (typeof develop !== 'function') {
    throw new MedusaViteError(`\`${BUNDLER}\` is not what medusa-vite expects: no \`develop\`.`, {
      code: 'UNEXPECTED_MEDUSA',
      hint: 'Use `medusa develop` for now, and report the version of Medusa to medusa-vite.',
    });
  }
  const express = require('express') as () => RequestListener & {
    disable(setting: string): void;
    use(path: unknown, handler: AdminMiddleware): void;
  };
  const app = express();
  // The app has said it already, or not.
  app.disable('x-powered-by');
  app.use(options.path, await withItsCause(() => develop(options)));
  return app;
}

/** The bundler prints what went wrong, and throws that something did. */
async function withItsCause<T>(run: () => Promise<T>): Promise<T> {
  const { error: print } = console;
  let cause: unknown;
  const listen = (...args: unknown[]): void => {
    if (args[0] instanceof Error) {
      [cause] = args;
    } else {
      print(...args);
    }
  };
  Object.assign(console, { error: listen });
  try {
    return await run();
  } catch (error) {
    throw cause ?? error;
  } finally {
    Object.assign(console, { error: print });
  }
}

function toRequest(bundler: string, options: Options): AdminRequest {
  const names = Object.keys(options);
  return {
    bundler,
    options: serialize(withoutFunctions(options)).toString('base64'),
    functions: names.filter((name) => typeof options[name] === 'function').sort(),
    env: { ...process.env },
  };
}

function withoutFunctions(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutFunctions);
  }
  if (!isPlainObject(value)) {
    return typeof value === 'function' ? undefined : value;
  }
  const entries = Object.entries(value).filter(([, entry]) => typeof entry !== 'function');
  return Object.fromEntries(entries.map(([name, entry]) => [name, withoutFunctions(entry)]));
}

function isPlainObject(value: unknown): value is Options {
  return value instanceof Object && Object.getPrototypeOf(value) === Object.prototype;
}
