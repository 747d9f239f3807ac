/**
 * The given modules that lie on an import cycle of given modules. The module of a cycle that is evaluated first
 * decides what the others see of it, so the order of their evaluation must not change.
 *
 * @param importsOf The imports of a module, including modules that are not given.
 */
export function modulesInCycles(
  ids: Iterable<string>,
  importsOf: (id: string) => Iterable<string>,
): Set<string> {
  // Tarjan's algorithm. Modules form chains, not deep trees, so recursion is good enough.
  const known = new Set(ids);
  const numbers = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const inCycles = new Set<string>();

  function visit(id: string): number {
    const number = numbers.size;
    numbers.set(id, number);
    open.push(id);
    isOpen.add(id);
    let low = number;
    for (const imported of importsOf(id)) {
      if (!known.has(imported)) {
        continue;
      }
      if (imported === id) {
        inCycles.add(id);
      }
      if (!numbers.has(imported)) {
        low = Math.min(low, visit(imported));
      } else if (isOpen.has(imported)) {
        low = Math.min(low, numbers.get(imported) ?? low);
      }
    }
    if (low === number) {
      close(id);
    }
    return low;
  }

  function close(first: string): void {
    const group = open.splice(open.lastIndexOf(first));
    for (const id of group) {
      isOpen.delete(id);
      if (group.length > 1) {
        inCycles.add(id);
      }
    }
  }

  for (const id of known) {
    if (!numbers.has(id)) {
      visit(id);
    }
  }
  return inCycles;
}
