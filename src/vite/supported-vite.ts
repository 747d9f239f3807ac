import { MedusaViteError, withoutStack } from '../shared/failure.ts';

const SUPPORTED = 'Vite 7.3 (with vite-node 5.3) and Vite 8 (with vite-node 6)';

/** @throws MedusaViteError */
export function assertSupportedVite(version: string | undefined): void {
  if (version === undefined || !isSupportedVite(version)) {
    // Vite tells plugins its version since Vite 7.
    throw unsupported(`Vite ${version ?? '6 or older'}`);
  }
}

export function isSupportedVite(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 8 || (major === 7 && minor >= 3);
}

/** @throws MedusaViteError */
export function assertSupportedViteNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== 6 && (major !== 5 || minor < 3)) {
    throw unsupported(`vite-node ${version}`);
  }
}

function unsupported(what: string): MedusaViteError {
  return withoutStack(
    new MedusaViteError(`${what} is not supported.`, {
      code: 'UNSUPPORTED_VITE',
      hint: `medusa-vite works with ${SUPPORTED}.`,
    }),
  );
}
