import type { MedusaPackages } from '../packages.ts';

/**
 * Medusa's telemetry forks a process at every exit, also where it is switched off and there is nothing to
 * send: half a second of a processor, just when the next app boots.
 * (`telemetry/dist/index.js`, 2.12.1 to 2.21.2)
 */
export function quietTelemetry(packages: Pick<MedusaPackages, 'requireFrom'>): void {
  if (!/^(?:true|[1-9]\d*)$/i.test(process.env.MEDUSA_DISABLE_TELEMETRY ?? '')) {
    return;
  }
  const { flush } = packages.requireFrom('@medusajs/medusa', '@medusajs/telemetry') as {
    flush?: () => void;
  };
  if (flush) {
    process.off('exit', flush);
  }
}
