import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Edit } from '../oracle/edits.ts';
import type { OracleOptions } from '../oracle/oracle.ts';
import { run } from '../oracle/run.ts';
import { describe as describeFailure, replay, shrink } from '../oracle/shrink.ts';
import { copyProduct } from './support/built-product.ts';

const LIMIT_MS = 1_200_000;
/** To find a shorter history, once a seed has failed. */
const SHRINK_LIMIT_MS = 180_000;

/** For what does not come: the honest product needs milliseconds. */
const SABOTAGED_SETTLE_LIMIT_MS = 15_000;

const CODE = { version: 5, uses: [], via: 'direct', isScript: false };

let product: ReturnType<typeof copyProduct>;
const lines: string[] = [];

beforeAll(() => {
  product = copyProduct();
});
afterAll(() => product.dispose());

const options = (changes: Partial<OracleOptions> = {}): OracleOptions => ({
  templateDatabaseUrl: inject('templateDatabaseUrl'),
  publishableKey: inject('publishableKey'),
  cli: product.cli,
  fresh: 'product',
  freshEvery: 50,
  log: (line) => lines.push(line),
  ...changes,
});

describe('after random edits, the hot app answers like a fresh one', () => {
  test.each([
    { seed: 300, edits: 220, fresh: 'product' },
    { seed: 301, edits: 80, fresh: 'stock' },
  ] as const)(
    'seed $seed, $edits edits, $fresh',
    async ({ seed, edits, fresh }) => {
      const { failure, statistics } = await run({ ...options({ fresh }), seed, edits });
      if (failure) {
        const limitMs = SHRINK_LIMIT_MS;
        const shortest = await shrink(failure, { ...options({ fresh }), limitMs });
        expect.fail(`${describeFailure(shortest)}\n${lines.join('\n')}`);
      }
      expect(statistics.edits).toBe(edits);
      expect(statistics.freshApps).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});

describe('a reloader that is stale on purpose is caught', () => {
  test.each([
    {
      name: 'by the prediction',
      file: 'dist/src/app/reloaders/subscribers.js',
      line: 'this.#subscriptions.unsubscribe(file);',
      sets: [[[['subscribers', 'u1'], null]]] satisfies Edit['set'][],
      against: 'prediction',
      key: 'event oracle.e1',
    },
    {
      name: 'by the fresh app, where nothing is predicted',
      file: 'dist/src/app/reloaders/routes.js',
      line: 'stable.current = current;',
      sets: [[[['shop', 'src/api/ping/route.ts'], 7]]] satisfies Edit['set'][],
      against: 'fresh app',
      key: 'GET /ping',
    },
    {
      name: 'where a glob finds a new file',
      file: 'dist/src/rules/planner.js',
      line: 'reach(id, [file]);',
      sets: [
        [
          [['routes', 'r1', 'via'], 'glob'],
          [['routes', 'r1', 'uses'], ['h5']],
        ],
        [[['helpers', 'h5'], { ...CODE, folder: 'a/', form: 'file', data: null, isEager: false }]],
      ] satisfies Edit['set'][],
      against: 'prediction',
      key: 'GET /oracle/r1',
    },
    {
      name: 'where two workflows share an id',
      file: 'dist/src/medusa/workflows/workflow-registry.js',
      line: 'serve(id, registrations, next);',
      sets: [
        [
          [['workflows', 'w1', 'hasHook'], false],
          [
            ['workflows', 'w2'],
            { ...CODE, id: 'w2', steps: ['s1'], nested: null, hasHook: false, sharesIdOf: 'w1' },
          ],
        ],
        [[['workflows', 'w1', 'version'], 77]],
      ] satisfies Edit['set'][],
      against: 'prediction',
      key: 'w1.77(',
    },
    {
      name: 'that does not see saves in a linked package',
      file: 'dist/src/host/updates/file-watch.js',
      line: 'if (!this.#options.isWatched(file)) {',
      by: "if (!this.#options.isWatched(file) || file.includes('/packages/')) {",
      sets: [[[['helpers', 'h4', 'version'], 77]]] satisfies Edit['set'][],
      against: 'settling',
      key: 'packages/oracle/src/h4.ts` was saved, and no update named it',
    },
    {
      name: 'for what a script requires',
      file: 'dist/src/app/runner/project-requests.js',
      line: 'this.#options.onEdge(importer, file);',
      sets: [
        [[['helpers', 'h1', 'isScript'], true]],
        [[['helpers', 'h2', 'version'], 77]],
      ] satisfies Edit['set'][],
      against: 'prediction',
      key: 'h2.77(',
    },
    {
      name: 'that says nothing of a data model',
      file: 'dist/src/host/updates/update.js',
      line: 'this.#options.onNote(note);',
      sets: [[[['dataModel', 'isSearchable'], false]]] satisfies Edit['set'][],
      against: 'what is said',
      key: 'npx medusa db:generate',
    },
  ])(
    '$name',
    async ({ file, line, by = '', sets, against, key }) => {
      const sabotaged = copyProduct();
      try {
        const path = join(sabotaged.folder, file);
        const source = readFileSync(path, 'utf8');
        expect(source.split(line)).toHaveLength(2);
        writeFileSync(path, source.replace(line, by));
        const history: Edit[] = sets.map((set) => {
          return { kind: 'to be missed', set, order: 1, pauseMs: 0 };
        });
        const cheated = options({
          cli: sabotaged.cli,
          freshCli: product.cli,
          ...(against === 'settling' && { settleLimitMs: SABOTAGED_SETTLE_LIMIT_MS }),
        });
        const finding = await replay(history, cheated);
        expect(finding?.against).toBe(against);
        expect(finding?.lines.join('\n')).toContain(key);
      } finally {
        sabotaged.dispose();
      }
    },
    LIMIT_MS,
  );
});
