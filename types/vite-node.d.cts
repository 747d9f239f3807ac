export type * from '../dist/src/vite-node.js' with { 'resolution-mode': 'import' };

type Exports = typeof import('../dist/src/vite-node.js', { with: { 'resolution-mode': 'import' }});
export const serve: Exports['serve'];
