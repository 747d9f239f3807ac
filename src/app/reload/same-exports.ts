import { moduleInterface } from '../../medusa/modules/module-exports.ts';
import { isObject, sameEntries, sameStructure } from '../../shared/same-structure.ts';

/**
 * Whether an importer can go on with the old value: data is compared by content, functions and classes by
 * identity, and Medusa modules by what is visible of them from outside.
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

function isData(value: unknown): value is object {
  if (!isObject(value)) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}
