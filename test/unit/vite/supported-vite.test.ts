import { describe, expect, it } from 'vitest';
import { assertSupportedVite, assertSupportedViteNode } from '../../../src/vite/supported-vite.ts';

describe('Vite', () => {
  it.each(['7.3.0', '7.3.8', '7.12.1', '8.0.0', '8.3.8'])('%s is supported', (version) => {
    expect(() => assertSupportedVite(version)).not.toThrow();
  });

  it.each([undefined, '6.4.1', '7.2.9', '9.0.0', '10.0.0'])('%s is not, in one line', (version) => {
    expect(() => assertSupportedVite(version)).toThrow(
      `Vite ${version ?? '6 or older'} is not supported.`,
    );
    try {
      assertSupportedVite(version);
    } catch (error) {
      expect((error as Error).stack?.split('\n')).toHaveLength(1);
    }
  });
});

describe('vite-node', () => {
  it.each(['5.3.0', '6.0.0', '6.1.2'])('%s is supported', (version) => {
    expect(() => assertSupportedViteNode(version)).not.toThrow();
  });

  it.each(['3.2.4', '4.0.0-beta.1', '5.2.0', '7.0.0'])('%s is not', (version) => {
    expect(() => assertSupportedViteNode(version)).toThrow(
      `vite-node ${version} is not supported.`,
    );
  });
});
