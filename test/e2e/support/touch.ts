/** A change that means nothing to the app, but is one: blank lines alone would be ignored. */
export function touch(source: string): string {
  return `${source}\nObject.assign(globalThis, { touched: ${source.length} });\n`;
}
