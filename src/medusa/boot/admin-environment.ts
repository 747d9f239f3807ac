/** What the bundler, the dashboard's code and Vite read of the environment. (`admin-bundler/dist`, 2.12.1 to 2.21.2) */
const ADMIN_VARIABLE = /^(?:HMR_|ADMIN_|PLUGIN_|VITE_|__MEDUSA_ADMIN_|__VITE_)/;

export function isReadByAdmin(variable: string): boolean {
  return ADMIN_VARIABLE.test(variable);
}
