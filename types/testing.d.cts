export type * from '../dist/src/testing.js' with { 'resolution-mode': 'import' };

type Exports = typeof import('../dist/src/testing.js', { with: { 'resolution-mode': 'import' }});
export const planChange: Exports['planChange'];
