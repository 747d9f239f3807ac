/**
 * Where Medusa's config puts the dashboard; null if it is switched off.
 * (`admin` of `utils/dist/common/define-config.js`, the same in 2.12.1 and 2.21.2)
 */
export function resolveAdminPath(config: unknown): string | null {
  const admin = property(config, 'admin');
  if (property(admin, 'disable') === true) {
    return null;
  }
  const path = property(admin, 'path');
  return typeof path === 'string' && path.startsWith('/') ? path : DEFAULT_PATH;
}

const DEFAULT_PATH = '/app';

function property(value: unknown, key: string): unknown {
  return value instanceof Object ? (value as Record<string, unknown>)[key] : undefined;
}
