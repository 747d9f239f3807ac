import { describe, expect, test } from 'vitest';
import { describeReason } from '../../../src/protocol/reason.ts';
import { builtInRules } from '../../../src/rules/built-in.ts';
import { createMemoryGraph } from '../../../src/rules/memory-graph.ts';
import { type Graph, type Plan, plan } from '../../../src/rules/planner.ts';
import type { CheckedRule } from '../../../src/rules/rule-set.ts';
import type { Change } from '../../../src/shared/change.ts';

const ROOT = 'C:/my shop';

interface World {
  /** Files that the app has loaded, each with the files that it imports; relative to the project. */
  imports?: Record<string, string[]>;
  entries?: string[];
  natives?: string[];
  accepts?: Record<string, string[]>;
  globs?: Record<string, string[]>;
  rules?: CheckedRule[];
}

const absolute = (path: string) => `${ROOT}/${path}`;
const update = (path: string): Change => ({ file: absolute(path), change: 'update' });

function createGraph({ imports = {}, ...world }: World): Graph & { asked: number } {
  const graph = createMemoryGraph({ root: ROOT, files: imports, ...world });
  const counting = {
    ...graph,
    asked: 0,
    importersOf: (id: string) => {
      counting.asked++;
      return graph.importersOf(id);
    },
  };
  return counting;
}

const reasonOf = ({ restart }: Plan) => restart && describeReason(restart.reason);

function planOf(changes: Change[], world: World): Plan {
  const rules = [...(world.rules ?? []), ...builtInRules];
  return plan(changes, { root: ROOT, graph: createGraph(world), rules });
}

const steps = (planned: Plan) =>
  planned.steps.map(({ reloader, files }) => [
    reloader,
    ...files.map(({ file, change }) => `${change} ${file.slice(ROOT.length + 1)}`),
  ]);

describe('a changed file', () => {
  test('reaches every resource above it', () => {
    const planned = planOf([update('src/lib/words.ts')], {
      imports: {
        'src/lib/words.ts': [],
        'src/lib/greeting.ts': ['src/lib/words.ts'],
        'src/api/greeting/route.ts': ['src/lib/greeting.ts'],
        'src/jobs/greet.ts': ['src/lib/greeting.ts'],
      },
    });
    expect(steps(planned)).toEqual([
      ['routes', 'update src/api/greeting/route.ts'],
      ['jobs', 'update src/jobs/greet.ts'],
    ]);
    expect(planned.invalidated).toHaveLength(4);
    expect(planned.restart).toBeUndefined();
  });

  test('that the app has not loaded is ignored', () => {
    expect(planOf([update('README.md')], {}).ignored).toEqual([
      { file: absolute('README.md'), reason: { type: 'not-loaded' }, mayBeMissing: false },
    ]);
  });

  test('that Node has loaded natively restarts', () => {
    const planned = planOf([update('src/lib/old.cjs')], { natives: ['src/lib/old.cjs'] });
    expect(reasonOf(planned)).toBe('src/lib/old.cjs changed, and Node has loaded it natively');
  });

  test('that is an entry, and that no rule matches, restarts', () => {
    const planned = planOf([update('src/custom/thing.ts')], {
      imports: { 'src/custom/thing.ts': [] },
      entries: ['src/custom/thing.ts'],
    });
    expect(reasonOf(planned)).toBe('src/custom/thing.ts changed, and nothing reloads it in place');
  });

  test('guards an importer that would need a restart, instead of restarting', () => {
    const planned = planOf([update('src/modules/brand/service.ts')], {
      imports: {
        'src/modules/brand/service.ts': [],
        'src/modules/brand/index.ts': ['src/modules/brand/service.ts'],
        'src/links/product-brand.ts': ['src/modules/brand/index.ts'],
      },
    });
    expect(steps(planned)).toEqual([['modules', 'update src/modules/brand/index.ts']]);
    expect(planned.restart).toBeUndefined();
    expect(planned.guards).toEqual([
      {
        importer: absolute('src/links/product-brand.ts'),
        imported: absolute('src/modules/brand/index.ts'),
        reason: {
          type: 'import-changed',
          path: 'src/modules/brand/service.ts',
          importer: 'src/links/product-brand.ts',
          rule: 'link',
        },
      },
    ]);
    expect(planned.invalidated).not.toContain(absolute('src/links/product-brand.ts'));
  });

  test('in a cycle is visited once', () => {
    const planned = planOf([update('src/lib/a.ts')], {
      imports: {
        'src/lib/a.ts': ['src/lib/b.ts'],
        'src/lib/b.ts': ['src/lib/a.ts'],
        'src/api/ping/route.ts': ['src/lib/a.ts'],
      },
    });
    expect(planned.invalidated.toSorted()).toEqual(
      ['src/api/ping/route.ts', 'src/lib/a.ts', 'src/lib/b.ts'].map(absolute),
    );
  });

  test('below 40 stacked diamonds asks for each module once', () => {
    const imports: Record<string, string[]> = { 'src/lib/0.ts': [] };
    for (let level = 1; level <= 40; level++) {
      imports[`src/lib/left${level}.ts`] = [`src/lib/${level - 1}.ts`];
      imports[`src/lib/right${level}.ts`] = [`src/lib/${level - 1}.ts`];
      imports[`src/lib/${level}.ts`] = [`src/lib/left${level}.ts`, `src/lib/right${level}.ts`];
    }
    const graph = createGraph({ imports });
    const planned = plan([update('src/lib/0.ts')], { root: ROOT, graph, rules: builtInRules });
    expect(planned.invalidated).toHaveLength(121);
    expect(graph.asked).toBe(121);
  });
});

describe('a file that comes or goes', () => {
  test('is a step of its own, and its own change wins over that of its imports', () => {
    const changes: Change[] = [
      update('src/lib/words.ts'),
      { file: absolute('src/api/greeting/route.ts'), change: 'delete' },
    ];
    const planned = planOf(changes, {
      imports: { 'src/lib/words.ts': [], 'src/api/greeting/route.ts': ['src/lib/words.ts'] },
    });
    expect(steps(planned)).toEqual([['routes', 'delete src/api/greeting/route.ts']]);
  });

  test('replaces another one in an import without extension', () => {
    const planned = planOf([{ file: absolute('src/lib/place.ts'), change: 'create' }], {
      imports: {
        'src/lib/place/index.ts': [],
        'src/api/ping/route.ts': ['src/lib/place/index.ts'],
      },
    });
    expect(steps(planned)).toEqual([['routes', 'update src/api/ping/route.ts']]);
  });

  test('reaches a resource with a glob', () => {
    const planned = planOf([{ file: absolute('src/lib/all/new.ts'), change: 'create' }], {
      imports: { 'src/api/ping/route.ts': [] },
      globs: { 'src/lib/all/new.ts': ['src/api/ping/route.ts'] },
    });
    expect(steps(planned)).toEqual([['routes', 'update src/api/ping/route.ts']]);
    expect(planned.ignored).toEqual([]);
  });
});

describe('import.meta.hot', () => {
  const imports = { 'src/lib/state.ts': [], 'src/api/ping/route.ts': ['src/lib/state.ts'] };

  test('a module that accepts itself keeps its importers', () => {
    const planned = planOf([update('src/lib/state.ts')], {
      imports,
      accepts: { 'src/lib/state.ts': ['src/lib/state.ts'] },
    });
    expect(steps(planned)).toEqual([]);
    expect(planned.invalidated).toEqual([absolute('src/lib/state.ts')]);
  });

  test('a module that calls `invalidate` is not evaluated again, but its importers are', () => {
    const planned = planOf([{ ...update('src/lib/state.ts'), isForced: true }], {
      imports,
      accepts: { 'src/lib/state.ts': ['src/lib/state.ts'] },
    });
    expect(steps(planned)).toEqual([['routes', 'update src/api/ping/route.ts']]);
    expect(planned.invalidated).toEqual([absolute('src/api/ping/route.ts')]);
  });
});

describe('rules', () => {
  test.each([
    ['.env', 'restart'],
    ['.env.template', undefined],
    ['medusa-config.ts', 'restart'],
    ['tsconfig.build.json', 'restart'],
    ['package-lock.json', 'restart'],
    ['src/admin/widgets/brand.tsx', 'ignore'],
    ['src/modules/brand/migrations/Migration1.ts', 'ignore'],
  ])('%s: %s', (path, expected) => {
    const planned = planOf([update(path)], {});
    const rule = planned.ignored[0]?.reason.type === 'rule' ? 'ignore' : undefined;
    expect(planned.restart ? 'restart' : rule).toBe(expected);
  });

  test.each([
    ['src/lib/helper.ts', true],
    ['src/lib/old.cjs', true],
    ['src/emails/order.tsx', true],
    ['README.md', false],
    ['src/admin/lib/limits.ts', true],
    ['src/admin/widgets/brand.tsx', false],
    ['src/api/brand.spec.ts', true],
    ['src/api/brand.spec.tsx', false],
    ['src/types/brand.d.ts', false],
    ['src/modules/brand/migrations/Migration1.ts', false],
  ])('tell whether the app may be missing %s: %s', (path, mayBeMissing) => {
    expect(planOf([update(path)], {}).ignored).toMatchObject([{ mayBeMissing }]);
  });

  test.each([
    ['medusa-config.ts', true],
    ['.env', true],
    ['package.json', undefined],
  ])('tell whether %s chooses modules: %s', (path, choosesModules) => {
    const [decision] = planOf([update(path)], {}).decisions;
    expect(decision?.rule.choosesModules).toBe(choosesModules);
  });

  test('leave an admin file that the backend imports to its importers', () => {
    const planned = planOf([update('src/admin/lib/limits.ts')], {
      imports: { 'src/admin/lib/limits.ts': [], 'src/api/a/route.ts': ['src/admin/lib/limits.ts'] },
    });
    expect(steps(planned)).toEqual([['routes', 'update src/api/a/route.ts']]);
  });

  test('of the user are asked first', () => {
    const planned = planOf([update('src/api/ping/route.ts')], {
      imports: { 'src/api/ping/route.ts': [] },
      rules: [{ name: 'no ping', match: /ping/, action: 'ignore' }],
    });
    expect(planned.ignored).toEqual([
      {
        file: absolute('src/api/ping/route.ts'),
        reason: { type: 'rule', rule: 'no ping' },
        mayBeMissing: false,
      },
    ]);
  });

  test('name the command that a model needs', () => {
    const planned = planOf([update('src/modules/brand/models/brand.ts')], {
      imports: { 'src/modules/brand/models/brand.ts': [] },
    });
    expect(reasonOf(planned)).toBe('src/modules/brand/models/brand.ts changed');
    expect(planned.notes.join()).toContain('npx medusa db:generate');
  });
});
