import { describe, expect, it } from 'vitest';
import { AppModules } from '../../../src/host/app-modules.ts';
import type { Transformer } from '../../../src/host/transformer.ts';

const OUTER = '/shop/src/workflows/outer.ts';
const INNER = '/shop/src/workflows/inner.ts';
const HELPER = '/shop/src/lib/helper.ts';

describe('a module that nothing imports any more', () => {
  it('is forgotten', () => {
    const { modules, imports } = create();
    imports.set(OUTER, [HELPER]);
    modules.accept({ [OUTER]: { code: '1' }, [HELPER]: { code: '1' } });
    modules.own([{ file: OUTER, change: 'create' }]);
    imports.set(OUTER, []);
    modules.accept({ [OUTER]: { code: '2' } });
    expect(modules.takeOrphans()).toEqual([HELPER]);
    expect(modules.modulesOf(HELPER)).toEqual([]);
  });

  // Caused by entries that only the boot reported: a workflow that was added later lost its module with its
  // last importer, and went on as it was when it was changed or deleted.
  it('is kept where it is a resource that was added while the app ran', () => {
    const { modules, imports } = create();
    imports.set(OUTER, [INNER]);
    modules.accept({ [OUTER]: { code: '1' }, [INNER]: { code: '1' } });
    modules.own([
      { file: OUTER, change: 'create' },
      { file: INNER, change: 'create' },
    ]);
    imports.set(OUTER, []);
    modules.accept({ [OUTER]: { code: '2' } });
    expect(modules.takeOrphans()).toEqual([]);
    expect(modules.modulesOf(INNER)).toEqual([INNER]);
    modules.own([{ file: INNER, change: 'delete' }]);
    expect(modules.isEntry(INNER)).toBe(false);
  });
});

function create(): { modules: AppModules; imports: Map<string, string[]> } {
  const imports = new Map<string, string[]>();
  const transformer = {
    importsOf: (id: string) => imports.get(id) ?? [],
    idsOf: () => [],
  } as unknown as Transformer;
  return { modules: new AppModules(transformer), imports };
}
