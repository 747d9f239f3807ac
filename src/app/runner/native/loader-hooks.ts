import nodeModule, { Module } from 'node:module';

/** Functions that a program replaces to see, or to change, every package that is loaded. */
const STATIC_HOOKS = ['_load', '_resolveFilename', '_findPath', '_nodeModulePaths', 'wrap'];
const PROTOTYPE_HOOKS = ['require', '_compile', 'load'];
const EXTENSIONS = ['.js', '.json', '.node', '.cjs', '.mjs', '.ts'];
const REGISTRATIONS = ['register', 'registerHooks'] as const;

/**
 * Notices code that hooks into Node's loading, as OpenTelemetry's instrumentation does. Such code must run
 * before the packages load that it instruments.
 */
export class LoaderHooks {
  readonly #before: unknown[];
  #isRegistered = false;

  constructor() {
    const functions = nodeModule as unknown as Record<string, unknown>;
    for (const name of REGISTRATIONS) {
      const original = functions[name];
      if (typeof original === 'function') {
        functions[name] = (...args: unknown[]): unknown => {
          this.#isRegistered = true;
          return Reflect.apply(original, nodeModule, args);
        };
      }
    }
    this.#before = readHooks();
  }

  get areChanged(): boolean {
    const now = readHooks();
    return this.#isRegistered || this.#before.some((hook, index) => hook !== now[index]);
  }
}

function readHooks(): unknown[] {
  const { prototype, _extensions: extensions } = Module as unknown as {
    prototype: Record<string, unknown>;
    _extensions: Record<string, unknown>;
  };
  const statics = Module as unknown as Record<string, unknown>;
  return [
    ...STATIC_HOOKS.map((name) => statics[name]),
    ...PROTOTYPE_HOOKS.map((name) => prototype[name]),
    ...EXTENSIONS.map((extension) => extensions[extension]),
  ];
}
