/**
 * What TypeScript's `esModuleInterop` makes of a CommonJS module, since that is what people's code was
 * written against under `medusa develop`. Node's own interop differs (`default`, `__esModule`, live exports).
 */
const namespaces = new WeakMap<object, object>();

export function toNamespace(exports: unknown): object {
  if (!(exports instanceof Object) && (typeof exports !== 'object' || exports === null)) {
    return { default: exports };
  }
  const module = exports as Record<PropertyKey, unknown>;
  if (module.__esModule || isEsNamespace(module)) {
    return module;
  }
  let namespace = namespaces.get(module);
  if (!namespace) {
    namespace = createNamespace(module);
    namespaces.set(module, namespace);
  }
  return namespace;
}

function isEsNamespace(module: object): boolean {
  return Object.prototype.toString.call(module) === '[object Module]';
}

/** Live: a property that is added or patched later is seen, as with `cjs_1.name`. */
function createNamespace(module: Record<PropertyKey, unknown>): object {
  return new Proxy(Object.create(null), {
    get: (_, key) => (key === 'default' ? module : module[key]),
    has: (_, key) => key === 'default' || key in module,
    ownKeys: () => [...new Set([...Object.keys(module), 'default'])],
    getOwnPropertyDescriptor: (_, key) =>
      key === 'default' || Object.hasOwn(module, key)
        ? {
            value: key === 'default' ? module : module[key],
            enumerable: true,
            configurable: true,
            writable: true,
          }
        : undefined,
  });
}
