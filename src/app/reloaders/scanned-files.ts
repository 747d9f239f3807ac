/**
 * Whether Medusa finds a file by scanning `src/<folder>`; the others there are helpers of those.
 * (`framework/dist/utils/resource-loader.js`, 2.12.1 to 2.21.2)
 */
export function isScanned(path: string, folder: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    path.startsWith(`src/${folder}/`) &&
    /\.[jt]s$/.test(name) &&
    !/^_|^index\.|\.(?:d|spec|test)\.[jt]s$/.test(name) &&
    !path.includes('__tests__')
  );
}
