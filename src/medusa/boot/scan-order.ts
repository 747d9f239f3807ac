/**
 * The order in which Medusa comes upon files when it scans a folder: by name, and what is in a folder at the
 * place of that folder. Of two that register one name, which is served depends on it.
 * (`utils/dist/common/read-dir-recursive.js`, the same in 2.12.1 and 2.21.2)
 *
 * @returns less than 0 if `a` comes first
 */
export function compareScanOrder(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  const index = left.findIndex((name, at) => name !== right[at]);
  const [first = '', second = ''] = [left[index], right[index]];
  return first === second ? 0 : first < second ? -1 : 1;
}
