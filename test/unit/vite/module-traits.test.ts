import { describe, expect, it } from 'vitest';
import { readTraits } from '../../../src/vite/module-traits.ts';

const IMPORT = 'const __vite_ssr_import_0__ = await __vite_ssr_import__("/src/b.ts");';
const exported = (name: string, local = name) =>
  `__vite_ssr_exportName__("${name}", () => { try { return ${local} } catch {} });`;

describe('a module is inert', () => {
  it.each([
    'async function GET() {}',
    'const GET = async () => __vite_ssr_import_0__.run();',
    'const config = { event: "a", list: [1, -2, `c`], nested: { get d() { return run(); } }, e() {} };',
    'let count = 0; var name;',
    'class K { a = 1; b() {} }',
    'const __vite_ssr_export_default__ = function () { return globalThis.x; };',
    '"use strict";',
    '',
  ])('that only declares: %s', (code) => {
    expect(readTraits(`${IMPORT}\n${exported('GET')}\n${code}`).isInert).toBe(true);
  });

  it.each([
    'run();',
    'const step = createStep("a", () => {});',
    'const { a } = __vite_ssr_import_0__;',
    'const config = { event: EVENT };',
    'const list = [...others];',
    'const text = `${name}`;',
    'const keyed = { [name]: 1 };',
    'class K extends __vite_ssr_import_0__.Base {}',
    'class K { static a = run(); }',
    'class K { static { run(); } }',
    'class K { [name]() {} }',
    'const value = await load();',
    'for (const a of []) {}',
    'globalThis.x = 1;',
    '__vite_ssr_import_meta__.hot?.dispose(() => {});',
    '__vite_ssr_exportAll__(__vite_ssr_import_0__);',
    'const const = 1;',
  ])('but not if it does more: %s', (code) => {
    expect(readTraits(`${IMPORT}\n${exported('GET')}\n${code}`).isInert).toBe(false);
  });
});

describe('constants', () => {
  it.each<[string, string[]]>([
    ['const NAME = "brand"; const computed = run();', ['NAME', 'computed']],
    ['let NAME = "brand";', []],
    ['function NAME() {}', []],
    ['const { NAME } = other;', []],
    ['{ const NAME = 1; }', []],
  ])('%s', (code, constants) => {
    expect(readTraits(`${exported('NAME')}${exported('computed')}\n${code}`).constants).toEqual(
      constants,
    );
  });

  it('have the name of the export', () => {
    const code = `${exported('PUBLIC', 'LOCAL')}\nconst LOCAL = 1;`;
    expect(readTraits(code).constants).toEqual(['PUBLIC']);
  });

  it('are not those of another module', () => {
    const code = `${exported('NAME', '__vite_ssr_import_0__.NAME')}\n${IMPORT}`;
    expect(readTraits(code).constants).toEqual([]);
  });
});
