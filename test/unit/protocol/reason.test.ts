import { expect, test } from 'vitest';
import { describeReason, type Reason } from '../../../src/protocol/reason.ts';

test.each<[Reason, string]>([
  [{ type: 'start' }, 'start'],
  [{ type: 'crash' }, 'crash'],
  [{ type: 'key' }, 'asked for by a key'],
  [
    { type: 'host-replaced', paths: ['dev.ts', 'vite.config.ts'] },
    'dev.ts, vite.config.ts changed',
  ],
  [{ type: 'files-changed', paths: ['.env'] }, '.env changed'],
  [{ type: 'files-changed', paths: ['a.ts', 'b.ts', 'c.ts'] }, 'a.ts and 2 more changed'],
  [{ type: 'file-changed', path: 'src/links/a.ts', change: 'create' }, 'src/links/a.ts was added'],
  [{ type: 'file-changed', path: '.env', change: 'update' }, '.env changed'],
  [{ type: 'file-changed', path: '.env', change: 'delete' }, '.env was deleted'],
  [
    { type: 'native-file-changed', path: 'a.cjs', change: 'delete' },
    'a.cjs was deleted, and Node has loaded it natively',
  ],
  [{ type: 'no-reloader', path: 'a.ts' }, 'a.ts changed, and nothing reloads it in place'],
  [
    { type: 'import-changed', path: 'a.ts', importer: 'src/links/b.ts', rule: 'link' },
    'a.ts changed, used by src/links/b.ts (link)',
  ],
  [
    { type: 'import-changed', path: 'a.ts', importer: 'b.ts', rule: undefined },
    'a.ts changed, used by b.ts',
  ],
  [{ type: 'app-exited', code: 1, signal: null }, 'the app exited with code 1'],
  [{ type: 'app-exited', code: null, signal: 'SIGKILL' }, 'the app exited by SIGKILL'],
  [{ type: 'app-hung' }, 'the app does not answer, as in an endless loop'],
  [{ type: 'reload-too-slow', limitMs: 20_000 }, 'the reload took longer than 20 s'],
  [{ type: 'reload-failed', message: 'no' }, 'the reload failed: no'],
  [{ type: 'commit-failed', message: 'no' }, 'the reload failed half-way: no'],
  [
    { type: 'registers-asynchronously', path: 'src/workflows/a.ts' },
    'src/workflows/a.ts has a top-level await, and registers what it defines',
  ],
  [{ type: 'reloader-unusable', reloader: 'notices' }, 'the reloader notices cannot be used'],
  [{ type: 'asked-by-reloader', text: 'this kind wants it' }, 'this kind wants it'],
  [
    { type: 'module-not-loaded', module: 'brand' },
    'the module brand is not one that the app has loaded',
  ],
  [
    { type: 'module-parts-changed', module: 'brand' },
    'the services or loaders of the module brand are others now',
  ],
  [
    { type: 'module-loader-services', module: 'brand' },
    'services of the module brand may hold what its loaders register',
  ],
  [
    { type: 'module-loader-misses', module: 'brand', missing: ['a', 'b'] },
    'a loader of the module brand does not register a,b now',
  ],
  [
    { type: 'module-loader-adds', module: 'brand' },
    'a loader of the module brand adds to what is registered',
  ],
  [
    { type: 'joiner-config-in-use', module: 'brand', dependent: 'the config' },
    'the joiner config of the module brand changed, and is built into the config',
  ],
  [
    { type: 'provider-identity', provider: 'mail' },
    'the provider mail has another identifier, name, lifetime or validateOptions now',
  ],
  [{ type: 'not-loaded' }, 'not loaded by the app'],
  [{ type: 'content-unchanged' }, 'content unchanged'],
  [{ type: 'code-unchanged' }, 'the emitted code is the same'],
  [{ type: 'rule', rule: 'types' }, 'ignored by the rule `types`'],
  [{ type: 'not-watched', folder: 'dist' }, 'nothing below `dist` is watched'],
])('%j is told as "%s"', (reason, text) => {
  expect(describeReason(reason)).toBe(text);
});
