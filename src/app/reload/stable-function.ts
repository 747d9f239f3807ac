type AnyFunction = (this: unknown, ...args: never[]) => unknown;

/**
 * A function that never changes its identity and always calls the current version. Medusa's loaders hold on to
 * the functions that a file exports; with a stable one, a new body needs no new registration.
 */
export interface StableFunction {
  readonly call: AnyFunction;
  current: AnyFunction;
}

export function createStableFunction(current: AnyFunction): StableFunction {
  const stable: StableFunction = {
    current,
    call(this: unknown, ...args: never[]): unknown {
      return stable.current.apply(this, args);
    },
  };
  Object.defineProperty(stable.call, 'name', { value: current.name, configurable: true });
  Object.defineProperty(stable.call, 'length', { value: current.length, configurable: true });
  return stable;
}
