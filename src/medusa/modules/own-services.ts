import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As Medusa looks for them. */
const SERVICE_FILE = /^(?!index\.)(?!.*\.d\.ts$).*\.[jt]s$/;

/**
 * Whether a module has services besides its main one: Medusa makes those in its folder `services` once, for the
 * life of the process. (`modules-sdk/dist/loaders/utils/load-internal.js`, 2.12.1 to 2.21.2)
 * @param file the `index` of the module
 */
export function hasOwnServices(file: string): boolean {
  try {
    return readdirSync(join(dirname(file), 'services')).some((name) => SERVICE_FILE.test(name));
  } catch {
    return false;
  }
}
