/** One instance that Medusa holds: it keeps its identity while what stands behind it is replaced. */
export interface Instance {
  current: Record<PropertyKey, unknown>;
  readonly args: unknown[];
}

/** Functions are bound to what stands behind, since a proxy has none of its private fields. */
export function createInstanceProxy(instance: Instance): object {
  let boundTo = instance.current;
  let bound = new WeakMap<object, unknown>();
  const bind = (value: unknown): unknown => {
    if (typeof value !== 'function') {
      return value;
    }
    if (boundTo !== instance.current) {
      // What a base class provides is the same function in both versions.
      boundTo = instance.current;
      bound = new WeakMap();
    }
    let known = bound.get(value);
    if (!known) {
      known = Object.assign(value.bind(instance.current), value);
      bound.set(value, known);
    }
    return known;
  };
  return new Proxy(Object.create(null), {
    get: (_, key) => {
      const value = Reflect.get(instance.current, key, instance.current);
      return key === 'constructor' ? value : bind(value);
    },
    set: (_, key, value) => Reflect.set(instance.current, key, value),
    has: (_, key) => Reflect.has(instance.current, key),
    deleteProperty: (_, key) => Reflect.deleteProperty(instance.current, key),
    defineProperty: (_, key, descriptor) =>
      Reflect.defineProperty(instance.current, key, { ...descriptor, configurable: true }),
    ownKeys: () => Reflect.ownKeys(instance.current),
    getPrototypeOf: () => Reflect.getPrototypeOf(instance.current),
    getOwnPropertyDescriptor: (_, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(instance.current, key);
      return descriptor && { ...descriptor, configurable: true };
    },
  });
}
