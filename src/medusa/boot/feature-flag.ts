const ENV_KEY = 'MEDUSA_FF_BACKEND_HMR';

/**
 * Resolves `backend_hmr` as Medusa does: the environment (which has `.env` by now) wins over the config,
 * even with a value that means off.
 * (`utils/dist/feature-flags/register-flag.js`, the same in 2.12.1, which has no such flag, and 2.21.2)
 */
export function resolveBackendHmr(config: unknown): boolean {
  const flags = property(config, 'featureFlags');
  const value = process.env[ENV_KEY] ?? property(flags, 'backend_hmr');
  return String(value).toLowerCase() === 'true';
}

/**
 * Medusa's own experiment must not handle the same saves beside us. The flag is taken away rather than set
 * to false, since Medusa logs the value of every flag that is set.
 */
export function switchOffStockHmr(config: unknown): void {
  delete process.env[ENV_KEY];
  const flags = property(config, 'featureFlags');
  if (flags instanceof Object) {
    delete (flags as Record<string, unknown>).backend_hmr;
  }
}

function property(value: unknown, key: string): unknown {
  return value instanceof Object ? (value as Record<string, unknown>)[key] : undefined;
}
