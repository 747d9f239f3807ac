/** The title of each file in `src/texts`, by the name of the file. */
export function readTexts(): Record<string, string>;
