import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeOtherVite, findProjectVite, loadVite } from '../../../src/vite/project-vite.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medusa-vite ü '));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, content: string | object): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
}

function installVite(version: string): void {
  write('node_modules/vite/package.json', {
    name: 'vite',
    version,
    type: 'module',
    exports: { '.': './index.js', './package.json': './package.json' },
  });
  write('node_modules/vite/index.js', `export const version = '${version}';`);
}

it("is the project's own where it depends on a supported one", async () => {
  write('package.json', { devDependencies: { vite: '^7.3.0' } });
  installVite('7.3.2');
  expect((await loadVite(root)).version).toBe('7.3.2');
  write('vite.config.ts', 'export default {};');
  expect(describeOtherVite(root)).toBeUndefined();
});

it('is not one that only another package depends on', () => {
  write('package.json', {});
  installVite('7.3.2');
  expect(findProjectVite(root)).toBeUndefined();
});

it("is ours where the project's is not supported; one line says so if there is a config", async () => {
  write('package.json', { devDependencies: { vite: '^5.0.0' } });
  installVite('5.4.19');
  expect((await loadVite(root)).version).not.toBe('5.4.19');
  expect(describeOtherVite(root)).toBeUndefined();
  write('vite.config.mts', 'export default {};');
  expect(describeOtherVite(root)).toContain('Vite 5.4.19 is not supported');
});

it('is ours before anything is installed', () => {
  write('package.json', { dependencies: { vite: '^8.0.0' } });
  expect(findProjectVite(join(root, ''))).toBeUndefined();
});

it('is ours where there is no project', async () => {
  expect(findProjectVite(root)).toBeUndefined();
  expect((await loadVite(root)).version).toBe((await import('vite')).version);
});
