import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, useRunnerProject } from './support/runner-project.ts';

const project = useRunnerProject();

interface Outcome {
  result: unknown;
  /** Files that went on as they were, and how often `main.ts` has run. */
  kept: string[];
  runs: unknown;
}

let folders = 0;

/** Evaluates `main.ts`, and then reloads it with what it imports, of which some files are saved. */
async function reload(
  files: Files,
  saved: Files,
  options: { isForced?: boolean } = {},
): Promise<Outcome> {
  const folder = `src/cutoff-${folders++}`;
  const inFolder = (some: Files): Files =>
    Object.fromEntries(Object.entries(some).map(([file, code]) => [`${folder}/${file}`, code]));
  const counter = `cutoff${folders}`;
  const count = `; { const g = globalThis as any; g.${counter} = (g.${counter} ?? 0) + 1; }`;
  await project.run(inFolder({ ...files, 'main.ts': `${files['main.ts']}${count}` }));
  const importers = Object.keys(files).filter((file) => !(file in saved));
  await project.beginReload(inFolder(saved), {
    importers: importers.map((file) => `${folder}/${file}`),
    ...options,
  });
  const result = await project.runner.ask('run', { file: join(project.root, folder, 'main.ts') });
  const kept = await project.runner.ask<string[]>('kept');
  await project.runner.ask('commit');
  const prefix = `${join(project.root, folder)}/`;
  return {
    result,
    kept: kept.map((file) => file.replace(prefix, '')).toSorted(),
    runs: await project.runner.ask('global', { name: counter }),
  };
}

describe('a module whose imports changed', () => {
  it('goes on as it was if it uses only constants that are the same', async () => {
    const outcome = await reload(
      {
        'main.ts': `import { NAME } from './module'; export const result = () => NAME;`,
        'module.ts': `export const NAME = 'brand'; export default class { version = 1 }`,
      },
      { 'module.ts': `export const NAME = 'brand'; export default class { version = 2 }` },
    );
    expect(outcome).toEqual({ result: 'brand', kept: ['main.ts'], runs: 1 });
  });

  it('is evaluated again if it imports JSON as a whole', async () => {
    const outcome = await reload(
      {
        'main.ts': `import data from './data.json'; export const result = () => data.pages;`,
        'data.json': '{"title":"a","pages":24}',
      },
      { 'data.json': '{"title":"a","pages":2400}' },
    );
    expect(outcome).toEqual({ result: 2400, kept: [], runs: 2 });
  });

  it('goes on as it was if what it imports does', async () => {
    const outcome = await reload(
      {
        'main.ts': `import { step } from './step'; import { other } from './other'; export const result = () => step() + other();`,
        'step.ts': `import { NAME } from './module'; export const step = () => NAME;`,
        'other.ts': `import { step } from './step'; export const other = () => step();`,
        'module.ts': `export const NAME = 'a'; export const code = () => 1;`,
      },
      { 'module.ts': `export const NAME = 'a'; export const code = () => 2;` },
    );
    expect(outcome).toEqual({
      result: 'aa',
      kept: ['main.ts', 'other.ts', 'step.ts'],
      runs: 1,
    });
  });

  it.each<[why: string, main: string, before: string, after: string, result: unknown]>([
    [
      'a constant has another value',
      `import { NAME } from './module'; export const result = () => NAME;`,
      `export const NAME = 'before';`,
      `export const NAME = 'after';`,
      'after',
    ],
    [
      'it uses a function',
      `import { run } from './module'; export const result = () => run();`,
      `export const run = () => 1;`,
      `export const run = () => 2;`,
      2,
    ],
    [
      'it uses an object, which the new version may change later',
      `import { config } from './module'; export const result = () => config.a;`,
      `export const config = { a: 1 }; export const other = 1;`,
      `export const config = { a: 1 }; export const other = 2;`,
      1,
    ],
    [
      'it uses a variable, which the new version may change later',
      `import { count } from './module'; export const result = () => count;`,
      `export let count = 1; export const other = 1;`,
      `export let count = 1; export const other = 2;`,
      1,
    ],
    [
      'it uses the whole namespace',
      `import * as all from './module'; export const result = () => Object.keys(all).length;`,
      `export const NAME = 'brand';`,
      `export const NAME = 'brand'; export const more = 1;`,
      2,
    ],
    [
      'it exports it again',
      `export * from './module'; export const result = () => 'own';`,
      `export const NAME = 'brand';`,
      `export const NAME = 'brand'; export const more = 1;`,
      'own',
    ],
    [
      'it requires it',
      `const { NAME } = require('./module'); export const result = () => NAME;`,
      `export const NAME = 'brand'; export const other = 1;`,
      `export const NAME = 'brand'; export const other = 2;`,
      'brand',
    ],
    [
      'it imports it for what it does',
      `import './module'; export const result = () => (globalThis as any).sideEffect;`,
      `(globalThis as any).sideEffect = 1; export const NAME = 'brand';`,
      `(globalThis as any).sideEffect = 2; export const NAME = 'brand';`,
      2,
    ],
    [
      'the constant became a variable',
      `import { NAME } from './module'; export const result = () => NAME;`,
      `export const NAME = 'brand';`,
      `export let NAME = 'brand';`,
      'brand',
    ],
  ])('is evaluated again if %s', async (_, main, before, after, result) => {
    const outcome = await reload({ 'main.ts': main, 'module.ts': before }, { 'module.ts': after });
    expect(outcome).toEqual({ result, kept: [], runs: 2 });
  });

  it('is evaluated again if it is in a cycle, where the order counts', async () => {
    const outcome = await reload(
      {
        'main.ts': `import { NAME } from './module'; import { back } from './back'; export const result = () => NAME + typeof back;`,
        'back.ts': `import { result } from './main'; import { NAME } from './module'; export const back = () => result() + NAME;`,
        'module.ts': `export const NAME = 'brand'; export const other = 1;`,
      },
      { 'module.ts': `export const NAME = 'brand'; export const other = 2;` },
    );
    expect(outcome).toEqual({ result: 'brandfunction', kept: [], runs: 2 });
  });

  // Caused by a helper that came to import its importers by way of a barrel: that one was evaluated while it
  // was asked whether it has to be, and then once more, or its old version was put back beside the new one.
  it.each([
    ['stays the same', 'brand'],
    ['is another', 'maker'],
  ])('is evaluated once if it is in a cycle that is new, and what it uses %s', async (_, name) => {
    const outcome = await reload(
      {
        'main.ts': `import { seen } from './between'; export const result = () => seen();`,
        'between.ts': `import { NAME } from './module'; export const own = {}; export const seen = () => [NAME, (globalThis as any).ownOfBetween?.() === own];`,
        'module.ts': `export const NAME = 'brand';`,
      },
      {
        'module.ts': `import { own } from './between'; export const NAME = '${name}'; (globalThis as any).ownOfBetween = () => own;`,
      },
    );
    expect(outcome).toEqual({ result: [name, true], kept: [], runs: 2 });
  });

  it('is evaluated again if a module has refused its own update', async () => {
    const outcome = await reload(
      {
        'main.ts': `import { NAME } from './module'; export const result = () => NAME;`,
        'module.ts': `export const NAME = 'brand'; export const other = 1;`,
      },
      { 'module.ts': `export const NAME = 'brand'; export const other = 2;` },
      { isForced: true },
    );
    expect(outcome).toEqual({ result: 'brand', kept: [], runs: 2 });
  });

  it('sees the next change of a constant, after one that left it as it was', async () => {
    const main = `import { NAME } from './step'; export const result = () => NAME;`;
    const files = { 'src/twice/main.ts': main, 'src/twice/step.ts': `export const NAME = 1;` };
    const read = () => project.runner.ask('run', { file: join(project.root, 'src/twice/main.ts') });
    await project.run(files);
    for (const [code, expected] of [
      ['export const NAME = 1; export const other = 1;', 1],
      ['export const NAME = 2;', 2],
    ] as const) {
      await project.beginReload(
        { 'src/twice/step.ts': code },
        { importers: ['src/twice/main.ts'] },
      );
      expect(await read()).toBe(expected);
      await project.runner.ask('rollback');
      expect(await read()).toBe(1);
      await project.beginReload(
        { 'src/twice/step.ts': code },
        { importers: ['src/twice/main.ts'] },
      );
      expect(await read()).toBe(expected);
      await project.runner.ask('commit');
    }
  });
});
