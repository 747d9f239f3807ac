import { describe, expect, it } from 'vitest';
import { completeLocation } from '../../../src/host/terminal/error-location.ts';
import { type SerializedError, serializeError } from '../../../src/shared/serialized-error.ts';
import { type Files, useRunnerProject } from './support/runner-project.ts';

const project = useRunnerProject();
const failure = async (promise: Promise<unknown>): Promise<SerializedError> =>
  promise.then(
    (value) => expect.fail(`Expected an error, got ${JSON.stringify(value)}`),
    (error) => serializeError(error),
  );
const failureOf = (files: Files) => failure(project.run(files));
/** What the terminal and `--json` show of it. */
const shown = async (files: Files) => completeLocation(await failureOf(files), project.root);
const positionsIn = ({ stack }: SerializedError) =>
  (stack ?? '').split('\n').flatMap((line) => {
    const at = line.indexOf(`${project.root}/`);
    return at < 0 ? [] : line.slice(at + project.root.length + 1).replace(/\)$/, '');
  });

/** Types make the compiled code shorter than the source, so that its lines are others. */
const PADDING = 'interface Padding {\n  a: string;\n  b: number;\n}\n';

describe('stack traces', () => {
  it('show the line and column of a throw at top level', async () => {
    const error = await failureOf({
      'src/a/main.ts': `${PADDING}import './thrower';\nexport const result = 1;\n`,
      'src/a/thrower.ts': `${PADDING}const value: Padding | undefined = undefined as any;\nexport const b = (value as any).b;\n`,
    });
    expect(positionsIn(error).slice(0, 2)).toEqual(['src/a/thrower.ts:6:33', 'src/a/main.ts:5:1']);
  });

  it('show the position on the first line', async () => {
    const error = await failureOf({ 'src/b/main.ts': `throw new Error('first line');` });
    expect(positionsIn(error)[0]).toBe('src/b/main.ts:1:7');
  });

  it('show the lines of an async function, and who awaited it', async () => {
    const error = await failureOf({
      'src/c/main.ts': `import { inner } from './inner';\n${PADDING}export async function result(): Promise<void> {\n  await null;\n  await inner();\n}\n`,
      'src/c/inner.ts': `${PADDING}export async function inner() {\n  await new Promise<void>((resolve) => setTimeout(resolve, 1));\n  throw new TypeError('inner');\n}\n`,
    });
    expect(positionsIn(error)).toEqual(['src/c/inner.ts:7:9', 'src/c/main.ts:8:3']);
    expect(error.stack).toMatch(/^TypeError: inner\n/);
  });

  it('show the lines of a module with top-level await', async () => {
    const error = await failureOf({
      'src/d/main.ts': `${PADDING}const x: number = await 1;\nif (x) throw new Error('awaited');\nexport const result = x;`,
    });
    expect(positionsIn(error)[0]).toBe('src/d/main.ts:6:14');
  });

  it('show the new lines after a reload, and the old ones after a rollback', async () => {
    const file = `${project.root}/src/e/main.ts`;
    const source = `${PADDING}export const result = () => {\n  throw new Error('x');\n};\n`;
    const position = async () => positionsIn(await failure(project.runner.ask('run', { file })))[0];
    await failureOf({ 'src/e/main.ts': source });
    expect(await position()).toBe('src/e/main.ts:6:9');
    await project.beginReload({
      'src/e/main.ts': `// one\n\n${PADDING}${source.replace('Padding', 'Other')}`,
    });
    expect(await position()).toBe('src/e/main.ts:12:9');
    await project.runner.ask('rollback');
    expect(await position()).toBe('src/e/main.ts:6:9');
  });

  it('show the lines of a version that failed at evaluation and was rolled back', async () => {
    const file = `${project.root}/src/f/main.ts`;
    await project.run({ 'src/f/main.ts': 'export const result = 1;' });
    await project.beginReload({ 'src/f/main.ts': `${PADDING}throw new Error('new version');` });
    const error = await failure(project.runner.ask('run', { file }));
    await project.runner.ask('rollback');
    expect(positionsIn(error)[0]).toBe('src/f/main.ts:5:7');
    expect(await project.runner.ask('run', { file })).toBe(1);
  });
});

describe('errors that Vite finds', () => {
  it('tell the place of a syntax error', async () => {
    const error = await shown({
      'src/g/main.ts': `import './broken';\nexport const result = 1;`,
      'src/g/broken.ts': `export const fine = 1;\nexport const = 2;\n`,
    });
    expect(error).toMatchObject({ file: `${project.root}/src/g/broken.ts`, line: 2, column: 14 });
    expect(error.frame).toContain('export const = 2;');
  });

  it('tell the place of broken JSON', async () => {
    const error = await shown({
      'src/h/main.ts': `import data from './data.json';\nexport const result = data;`,
      'src/h/data.json': '{\n  "a": 1,\n  "b" 2\n}',
    });
    expect(error).toMatchObject({ file: `${project.root}/src/h/data.json`, line: 3 });
    expect(error.frame).toContain('"b" 2');
  });

  it.each([
    ['a relative path', './missing'],
    ['a relative path with an extension', './missing.ts'],
    ['an alias', '@lib/missing'],
    ['a package', 'no-such-package'],
  ])('tell the place of the import when %s leads nowhere', async (_, specifier) => {
    const folder = `src/i/${specifier.replaceAll('/', '-')}`;
    const error = await shown({
      [`${folder}/main.ts`]: `${PADDING}import { x } from '${specifier}';\nexport const result = x;`,
    });
    expect(error.message).toContain(specifier);
    expect(error).toMatchObject({ file: `${project.root}/${folder}/main.ts`, line: 5 });
    expect(error.frame).toContain(specifier);
  });

  it('tell the place of a throw', async () => {
    const error = await shown({
      'src/i/thrower.ts': `${PADDING}export const result = (undefined as any).b;`,
    });
    expect(error).toMatchObject({ file: `${project.root}/src/i/thrower.ts`, line: 5, column: 42 });
    expect(error.frame).toContain('(undefined as any).b');
  });

  it('name the importer of a package that is missing', async () => {
    const error = await failureOf({
      'src/j/main.ts': `import x from 'no-such-package';\nexport const result = x;`,
    });
    expect(error.code).toBe('MODULE_NOT_FOUND');
    expect(error.message).toContain('no-such-package');
    expect(error.message).toContain('src/j/main.ts');
  });
});

describe('a module that failed', () => {
  const run = (folder: string, name = 'main') =>
    project.runner.ask('run', { file: `${project.root}/src/${folder}/${name}.ts` });

  it('is loaded again when it threw', async () => {
    await failureOf({ 'src/k/main.ts': `throw new Error('k');` });
    await project.save({ 'src/k/main.ts': `export const result = 'fixed';` });
    expect(await run('k')).toBe('fixed');
  });

  it('is loaded again when it did not compile', async () => {
    await failureOf({
      'src/l/main.ts': `import './other'; export const result = 'fixed';`,
      'src/l/other.ts': 'const = 1;',
    });
    await project.save({ 'src/l/other.ts': `export const other = 1;` });
    expect(await run('l')).toBe('fixed');
  });

  it('is loaded again when a module was missing', async () => {
    await failureOf({
      'src/m/main.ts': `import { other } from './other'; export const result = other;`,
    });
    project.write({ 'src/m/other.ts': `export const other = 'created';` });
    const file = `${project.root}/src/m/other.ts`;
    await project.transformer.onChange([{ file, change: 'create' }], () => true);
    expect(await run('m')).toBe('created');
  });

  it('takes those with it that saw half of a cycle', async () => {
    const files = {
      'src/n/main.ts': `import { other } from './other'; if (true) throw new Error('n'); export const name = 'main'; export const result = () => other();`,
      'src/n/other.ts': `import { name } from './main'; import './apart'; const seen = name; export const other = () => [seen, name];`,
      'src/n/apart.ts': `const g = globalThis as any; g.apartRuns = (g.apartRuns ?? 0) + 1; export {};`,
    };
    await failureOf(files);
    expect(
      await project.runner.ask('isEvaluated', { file: `${project.root}/src/n/other.ts` }),
    ).toBe(false);
    await project.save({ 'src/n/main.ts': files['src/n/main.ts'].replace('true', 'false') });
    expect(await run('n')).toEqual(['<undefined>', 'main']);
    expect(await project.runner.ask('global', { name: 'apartRuns' })).toBe(1);
  });

  it('takes those with it that reached it by `require()` in a cycle', async () => {
    await failureOf({
      'src/o/main.ts': `exports.early = 1; require('./other'); throw new Error('o');`,
      'src/o/other.ts': `exports.main = require('./main');`,
    });
    expect(
      await project.runner.ask('isEvaluated', { file: `${project.root}/src/o/other.ts` }),
    ).toBe(false);
  });

  it('can be caught by the one who requires it', async () => {
    expect(
      await project.expectSame({
        'src/p/main.ts': `let caught = ''; try { require('./thrower'); } catch (error: any) { caught = error.message; } export const result = [caught, typeof require('./fine').fine];`,
        'src/p/thrower.ts': `require('./fine'); throw new Error('thrown');`,
        'src/p/fine.ts': 'export const fine = 1;',
      }),
    ).toEqual(['thrown', 'number']);
  });
});
