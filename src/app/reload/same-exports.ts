import { moduleInterface } from '../../medusa/modules/module-exports.ts';
import { isObject, sameEntries, sameStructure } from '../../shared/same-structure.ts';

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

function isData(value: unknown): value is object {
  if (!isObject(value)) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}
