/** In the order in which Node tries them for an import that has none, with those that Medusa's ts-node adds. */
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
