export type * from '../dist/src/reloader.js' with { 'resolution-mode': 'import' };

type Exports = typeof import('../dist/src/reloader.js', { with: { 'resolution-mode': 'import' }});
export const defineReloader: Exports['defineReloader'];
