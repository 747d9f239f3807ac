/** Changes code without a meaning for the app; a change of blank lines alone would be ignored. */
export function touch(source: string): string {
  return `${source}\nObject.assign(globalThis, { touched: ${source.length} });\n`;
}
