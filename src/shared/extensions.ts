/** As Node looks for a file when the extension is missing, with those that Medusa's ts-node adds. */
export const EXTENSIONS: readonly string[] = [
  '.js',
  '.json',
  '.ts',
  '.tsx',
  '.jsx',
  '.mjs',
  '.mts',
  '.cts',
];
