/** Structural equality; two functions are equal if their sources are. */
export function sameStructure(before: unknown, after: unknown): boolean {
  return compareStructure(before, after, new Map());
}

function compareStructure(before: unknown, after: unknown, seen: Map<object, unknown>): boolean {
  if (Object.is(before, after)) {
    return true;
  }
  if (typeof before === 'function' && typeof after === 'function') {
    return before.toString() === after.toString();
  }
  if (!isObject(before) || !isObject(after)) {
    return false;
  }
  if (seen.get(before) === after) {
    return true;
  }
  seen.set(before, after);
  return sameEntries(before, after, (a, b) => compareStructure(a, b, seen));
}

/** Whether two objects have the same keys, and `same` holds for the values of each. */
export function sameEntries(
  before: object,
  after: object,
  same: (before: unknown, after: unknown) => boolean,
): boolean {
  const keys = Object.keys(before);
  return (
    Array.isArray(before) === Array.isArray(after) &&
    keys.length === Object.keys(after).length &&
    keys.every(
      (key) => Object.hasOwn(after, key) && same(Reflect.get(before, key), Reflect.get(after, key)),
    )
  );
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
