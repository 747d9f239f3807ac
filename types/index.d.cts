// For projects whose TypeScript compiles to CommonJS, as Medusa's do: they load the ES module with `require`.
export type * from '../dist/src/index.js' with { 'resolution-mode': 'import' };

type Exports = typeof import('../dist/src/index.js', { with: { 'resolution-mode': 'import' }});
export const medusa: Exports['medusa'];
export const builtInRules: Exports['builtInRules'];
