export type Exports = Record<PropertyKey, unknown>;
