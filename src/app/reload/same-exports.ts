import { moduleInterface } from '../../medusa/modules/module-exports.ts';

/**
 * Whether a value means the same to who has imported it before: data by its content, functions and classes
 * only if they are the very same, and Medusa modules by what can be seen of them from outside.
 */
export function sameExport(before: unknown, after: unknown): boolean {
  if (Object.is(before, after)) {
    return true;
  }
  const interfaceBefore = moduleInterface(before);
  const interfaceAfter = moduleInterface(after);
  if (interfaceBefore && interfaceAfter) {
    return sameStructure(interfaceBefore, interfaceAfter);
  }
  return isData(before) && isData(after) && sameEntries(before, after, sameExport);
}

/** Structural equality; functions count by their source, for structures that Medusa itself has made. */
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

function sameEntries(
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

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isData(value: unknown): value is object {
  if (!isObject(value)) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}
