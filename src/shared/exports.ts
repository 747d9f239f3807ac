/** What a file exports. */
export type Exports = Record<PropertyKey, unknown>;
